/** Whether a system can be moved, before anything is installed: a report, read from the databases. */
export { assessCapability, assessDatabase } from './assess.ts';
export { assessmentPage } from './html.ts';
export type * from './report.ts';
export { assessmentText, bytesText, verdictCounts } from './text.ts';
export type * from './survey.ts';
export { worst } from './verdict.ts';
export type { Verdict } from './verdict.ts';
