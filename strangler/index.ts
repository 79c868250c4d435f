/** The migration engine's public surface. */
export * from './mapping/index.ts';
export { DataPlane } from './data-plane.ts';
export type { DataPlaneOptions } from './data-plane.ts';
export type { DataPlaneStatus } from './data-plane-status.ts';
export type { BackfillStatus, DifferingRow, PairReport, ReconcileReport } from './copy/index.ts';
export { checkCapability } from './check/index.ts';
export type { CheckReport, Finding } from './check/index.ts';
export { openInspectors, openSides } from './sides.ts';
export type { SideDatabase } from './side-database.ts';
export { BarrierTimeoutError } from './feed/index.ts';
