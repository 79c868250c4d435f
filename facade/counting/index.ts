/** What happened, counted. */
export { BUCKETS, bump, Counters, rowOf } from './counters.ts';
export type { Answerer } from './counters.ts';
export { HoldLog } from './hold-log.ts';
export type { HeldWrite } from './hold-log.ts';
