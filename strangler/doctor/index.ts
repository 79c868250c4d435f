/** Explains the state of a capability from its databases, and mends what is safe to mend. */
export { diagnose } from './diagnose.ts';
export { examine } from './examine.ts';
export type { DatabaseFacts, EngineFacts } from './facts.ts';
export { fencesText, fenceStory } from './fence-story.ts';
export { brokenOffText, decisionText, repairText } from './finding.ts';
export type { Finding, Remedy, Repair } from './finding.ts';
export { passOver } from './pass-over.ts';
export { readViews, restoredBackups } from './restored-backup.ts';
export type { RestoredBackup, Views } from './restored-backup.ts';
export { repair } from './repair.ts';
export { agreedLoss, NothingToDecide, trust } from './trust.ts';
export type { Decision } from './trust.ts';
export type { RepairReport, RepairJob } from './repair.ts';
