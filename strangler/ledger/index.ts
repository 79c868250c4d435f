/** Fig's own tables, told once for every database. */
export { FOLLOWED_SQL, followedOf, FOLLOW_SQL, followValues, readFollowed } from './applied.ts';
export type { AppliedRow } from './applied.ts';
export { forgetCopy, saveBackfill, saveComplete } from './backfill.ts';
export { figureOf, LedgerChecks } from './checks.ts';
export { demandReconcile } from './demand.ts';
export type {
  Dialect,
  FeedEnd,
  Ledger,
  LedgerTransactionOptions,
  LedgerValue,
  Reads,
  Tx,
} from './dialect.ts';
export { isHeld } from './leases.ts';
export { parkedOf, parkedRows, PARKED_COLUMNS } from './parked-changes.ts';
export type { ParkedRow } from './parked-changes.ts';
export { refuseLedger, seed } from './seed.ts';
export { LedgerRetirement } from './retirement.ts';
export { LedgerShadowFence } from './shadow-fence.ts';
export { completeShape, readShape, saveShape } from './shape.ts';
export { LedgerSide } from './side.ts';
export { LedgerSideStore } from './side-store.ts';
export {
  forgetCapability,
  formerTables,
  laterColumns,
  ledgerIndexes,
  ledgerTables,
} from './tables.ts';
export type { ColumnTypes, LaterColumn } from './tables.ts';
export { refuseUnlessTarget, STANDING_SQL } from './standing.ts';
export type { Standing } from './standing.ts';
export { saveVersion } from './version.ts';
