import { LEDGER_TABLE, LEDGER_VERSION, refuseNewerLedger } from '../../../chassis/index.ts';
import type { SqliteConnection } from './connection.ts';
import type { Prepare } from './schema.ts';

/** @throws ConfigurationError when a newer build has written Fig's tables here */
export function checkLedgerVersion({ file }: SqliteConnection, prepare: Prepare): void {
  const exists = prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`);
  if (exists.get(LEDGER_TABLE) === undefined) return;
  const version = prepare(`SELECT version FROM ${LEDGER_TABLE}`).pluck().get();
  refuseNewerLedger(`file:${file}`, version as number | undefined);
}

/** Inside of a transaction. */
export function saveLedgerVersion(connection: SqliteConnection): void {
  connection
    .write(
      `INSERT INTO ${LEDGER_TABLE} (id, version) VALUES (1, ?)
         ON CONFLICT DO UPDATE SET version = excluded.version`,
    )
    .run(LEDGER_VERSION);
}
