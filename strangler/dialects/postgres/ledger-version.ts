import { LEDGER_TABLE, LEDGER_VERSION, refuseNewerLedger } from '../../../chassis/index.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';

/** @throws ConfigurationError when a newer build has written Fig's tables here */
export async function checkLedgerVersion(connection: PostgresConnection): Promise<void> {
  const exists = await connection.query('SELECT WHERE to_regclass($1) IS NOT NULL', [LEDGER_TABLE]);
  if (exists.rowCount === 0) return;
  const { rows } = await connection.query<{ version: number }>(
    `SELECT version FROM ${LEDGER_TABLE}`,
  );
  refuseNewerLedger(connection.url, rows[0]?.version);
}

/** Inside of a transaction; nothing is locked where it is known already. */
export async function saveLedgerVersion(client: PostgresClient): Promise<void> {
  await client.query(
    `INSERT INTO ${LEDGER_TABLE} (id, version) VALUES (1, $1)
       ON CONFLICT (id) DO UPDATE SET version = excluded.version
       WHERE ${LEDGER_TABLE}.version <> excluded.version`,
    [LEDGER_VERSION],
  );
}
