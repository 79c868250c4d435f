/** Fig's own tables, told once for every database. */
export { FOLLOWED_SQL, followedOf, FOLLOW_SQL, followValues, readFollowed } from './applied.ts';
export type { AppliedRow } from './applied.ts';
export {
  forgetCopy,
  readBackfills,
  readCopyLimit,
  saveBackfill,
  saveComplete,
  saveCopyLimit,
} from './backfill.ts';
export { LedgerChecks } from './checks.ts';
export { demandReconcile } from './demand.ts';
export type {
  Dialect,
  FeedEnd,
  Ledger,
  LedgerTransactionOptions,
  LedgerValue,
  Tx,
} from './dialect.ts';
export { readInstallation } from './installation.ts';
export { isHeld } from './leases.ts';
export { lastReport, saveReport } from './reports.ts';
export { LedgerParkedChanges, parkedOf, parkedRows, PARKED_COLUMNS } from './parked-changes.ts';
export type { ParkedRow } from './parked-changes.ts';
export { refuseLedger, seed } from './seed.ts';
export { LedgerSideStore } from './side-store.ts';
export { saveVersion } from './version.ts';
