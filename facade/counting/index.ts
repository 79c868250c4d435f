/** What happened, counted. */
export { BUCKETS, bump, Counters, rowOf } from './counters.ts';
export type { Answerer } from './counters.ts';
export { causeOf, UpstreamFailures, UpstreamTimedOut } from './upstream-failures.ts';
export type { FailureCause } from './upstream-failures.ts';
export { HoldLog } from './hold-log.ts';
export type { HeldWrite } from './hold-log.ts';
