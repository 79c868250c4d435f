/** The migration engine's public surface. */
export * from './mapping/index.ts';
export { Replication } from './replication/replication.ts';
export type { ReplicationOptions } from './replication/replication.ts';
export type { ReplicationStatus } from './replication/replication-status.ts';
export type {
  BackfillStatus,
  DifferingRow,
  PairReport,
  ReconcileReport,
} from './replication/copy/index.ts';
export { checkCapability } from './check/index.ts';
export type { CheckReport, Finding } from './check/index.ts';
export { openInspectors, openSides } from './sides/sides.ts';
export type { SideDatabase } from './sides/side-database.ts';
export { BarrierTimeoutError } from './replication/feed/index.ts';
