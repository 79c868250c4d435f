/** The engine process's inside: handovers, intent, status, and their HTTP. */
export { declarationsOf } from './declarations.ts';
export { Engine } from './engine.ts';
export type { EngineDeps, EngineStatus, LiveStatus } from './engine.ts';
export type { HandoverAnswer, HandoverPlan } from './commands.ts';
export type { CompletionAnswer, CompletionPlan } from './complete.ts';
export { operate } from './surgery.ts';
export { takeBack } from './abort.ts';
export type { AbortAnswer } from './abort.ts';
export { openEachSide } from './plane.ts';
export { LeaseHeldError, withStandIn } from './stand-in.ts';
export type { CompletionDeclaration, DataDeclaration } from './plane.ts';
export type { Standing } from './steward.ts';
export { handoversOf, readStatus } from './status.ts';
export type { CapabilityStatus, HandoverView, Sides } from './status.ts';
export type { RemovalPlan } from '../copy/index.ts';
export { wayBackOf } from './way-back-state.ts';
export type { WayBack } from './way-back-state.ts';
