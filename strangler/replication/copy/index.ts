/** Whole tables: copying them to the other side, and comparing both sides. */
export { Comparer } from './comparer.ts';
export { keepRows, partingOf } from './parting.ts';
export type { Kept, PartedRows, Parting } from './parting.ts';
export { Copier } from './copier.ts';
export type { BackfillStatus, CopyRoute, CopyOptions } from './copier.ts';
export { planRemoval, refuseRemoval } from './removal.ts';
export type { RemovalPlan } from './removal.ts';
export type { ReconcileRequest } from './reconcile.ts';
export type * from './report.ts';
