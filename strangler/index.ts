/** The migration engine's public surface. */
export * from './mapping/index.ts';
export { Replication } from './replication.ts';
export type { ReplicationOptions } from './replication.ts';
export type { ReplicationStatus } from './replication-status.ts';
export type { BackfillStatus, DifferingRow, PairReport, ReconcileReport } from './copy/index.ts';
export { checkCapability } from './check/index.ts';
export type { CheckReport, Finding } from './check/index.ts';
export { openInspectors, openSides } from './sides.ts';
export type { SideDatabase } from './side-database.ts';
export { BarrierTimeoutError } from './feed/index.ts';
