/** The migration engine's public surface. */
export * from './mapping/index.ts';
export { DataPlane } from './data-plane.ts';
export type { BackfillStatus, DataPlaneOptions, DataPlaneStatus } from './data-plane.ts';
export type { DifferingRow, PairReport, ReconcileReport } from './copy/index.ts';
export { openSides } from './sides.ts';
export type { SideDatabase } from './side-database.ts';
export { BarrierTimeoutError } from './feed/index.ts';
