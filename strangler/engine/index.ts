/** The engine process's inside: handovers, intent, status, and their HTTP. */
export { declarationsOf } from './declarations.ts';
export { Engine } from './engine.ts';
export type { EngineDeps, EngineStatus, LiveStatus } from './engine.ts';
export type { HandoverAnswer, HandoverPlan } from './commands.ts';
export { takeBack } from './abort.ts';
export type { AbortAnswer } from './abort.ts';
export { openEachSide } from './plane.ts';
export { LeaseHeldError, withStandIn } from './stand-in.ts';
export type { DataDeclaration } from './plane.ts';
export type { Standing } from './steward.ts';
export { handoversOf, readStatus } from './status.ts';
export type { CapabilityStatus, HandoverView, Sides } from './status.ts';
