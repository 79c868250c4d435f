/** Whole tables: copying them to the other side, and comparing both sides. */
export { joined, keyCountOf } from './by-owner.ts';
export { Copier } from './copier.ts';
export type { BackfillStatus, CopyRoute, CopyWish } from './copier.ts';
export { reconcile } from './reconcile.ts';
export type { ReconcileWish } from './reconcile.ts';
export { RowsToRepair } from './repair.ts';
export type * from './report.ts';
