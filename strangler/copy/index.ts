/** Whole tables: copying them to the other side, and comparing both sides. */
export { backfill } from './backfill.ts';
export { reconcile } from './reconcile.ts';
export type * from './report.ts';
