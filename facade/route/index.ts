/** Where a request goes, and why: pure, so that it can be explained. */
export { checkReadings, decide, firstMoving, isInDoubt, isOwnerUnknown } from './decision.ts';
export type { Decision, NotComparable, Question, RoutingSnapshot } from './decision.ts';
export { explain } from './explanation.ts';
export type { Asked, Explanation } from './explanation.ts';
