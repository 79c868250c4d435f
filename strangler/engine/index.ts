/** The engine process's inside: handovers, intent, status, and their HTTP. */
export { declarationsOf } from './declarations.ts';
export { Engine } from './engine.ts';
export type { EngineDeps, EngineStatus, LiveStatus } from './engine.ts';
export type { HandoverAnswer, HandoverPlan } from './commands.ts';
export type { CompletionAnswer, CompletionPlan } from './complete.ts';
export { repairAsLeader } from './repair-as-leader.ts';
export { takeBack } from './abort.ts';
export type { AbortAnswer } from './abort.ts';
export { openEachSide } from './open-capability.ts';
export { LeaseHeldError, withOfflineLeader } from './offline-leader.ts';
export type { CompletionDeclaration, DataDeclaration } from './open-capability.ts';
export type { Standing } from './capability-controller.ts';
export type { UnreadSide } from './handover-list.ts';
export { handoversOf, readStatus } from './status.ts';
export type { CapabilityStatus, HandoverView, Sides } from './status.ts';
export type { RemovalPlan } from '../copy/index.ts';
export { wayBackOf } from './way-back-state.ts';
export type { WayBack } from './way-back-state.ts';
