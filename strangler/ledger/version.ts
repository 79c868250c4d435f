import { LEDGER_TABLE, LEDGER_VERSION, refuseNewerLedger } from '../../chassis/index.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

/**
 * @param url of the database, for the message
 * @throws ConfigurationError when a newer build has written Fig's tables here
 */
export async function checkVersion(tx: Reads, { hasTable }: Dialect, url: string): Promise<void> {
  if ((await tx.get(hasTable, [LEDGER_TABLE])) === undefined) return;
  const found = await tx.get<{ version: number }>(`SELECT version FROM ${LEDGER_TABLE}`);
  refuseNewerLedger(url, found?.version);
}

/** Locks nothing where the version is stored already. */
export async function saveVersion(tx: Tx): Promise<void> {
  await tx.run(
    `INSERT INTO ${LEDGER_TABLE} (id, version) VALUES (1, $1)
       ON CONFLICT (id) DO UPDATE SET version = excluded.version
       WHERE ${LEDGER_TABLE}.version <> excluded.version`,
    [LEDGER_VERSION],
  );
}
