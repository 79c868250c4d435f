import { forgetCapability, formerTables, isHeld } from '../../ledger/index.ts';
import type { Lease } from '../../ledger/store.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { MOVE_FUNCTION, PASS_FUNCTION } from './functions.ts';
import { postgres, PostgresTx } from './ledger.ts';
import { functionsOfCapability, indexesOfCapability } from './marks.ts';
import { installedTriggers } from './replace-triggers.ts';
import { capabilityTables, sharedTables } from './tables.ts';
import { LOCK_MS, lockTables, persistently } from './table-locks.ts';
import { name } from './values.ts';

/**
 * Takes everything of a capability out of a database again, and what capabilities share with the
 * last of them; the schema is then what it was before the installation.
 * @param lease without which nothing is done where another engine has taken over since
 * @returns whether it is out
 * @throws ConfigurationError that says who keeps the tables locked
 */
export function uninstall(
  connection: PostgresConnection,
  capability: string,
  lease?: Lease,
): Promise<boolean> {
  // Two that end together would each leave to the other what capabilities share.
  return connection.exclusively('fig install', () => takeOut(connection, capability, lease));
}

async function takeOut(
  connection: PostgresConnection,
  capability: string,
  lease: Lease | undefined,
): Promise<boolean> {
  const known = await connection.transaction((client) => installedTriggers(client, capability));
  const tables = [...new Set(known.map(({ table }) => table))];
  const failed = `${capability} could not be taken out of the database`;
  const isOut = await persistently(connection, tables, failed, () =>
    connection.transaction(async (client) => {
      const triggers = await installedTriggers(client, capability);
      const own = await existing(client, Object.keys(capabilityTables(capability)));
      const last = await isLast(client, capability);
      // Whoever writes has read the fences, too.
      const shared = last
        ? await existing(client, [...Object.keys(sharedTables), ...formerTables])
        : [];
      const relations = new Set([...triggers.map(({ relation }) => relation), ...own, ...shared]);
      await lockTables(client, [...relations], 'ACCESS EXCLUSIVE');
      const tx = new PostgresTx(client);
      if (lease && !(await isHeld(tx, postgres, lease))) return false;
      for (const { trigger, relation } of triggers) {
        await client.query(`DROP TRIGGER ${name(trigger)} ON ${relation}`);
      }
      for (const signature of await functionsOfCapability(client, capability)) {
        await client.query(`DROP FUNCTION ${signature}`);
      }
      for (const table of own) await client.query(`DROP TABLE ${table}`);
      await (last ? removeShared(client, shared) : forgetCapability(tx, sharedTables, capability));
      return true;
    }),
  );
  if (!isOut) return false;
  // Last, and not in a transaction: so nobody waits for it.
  await persistently(connection, tables, `indexes of ${capability} could not be removed`, () =>
    connection.alone(LOCK_MS, async (client) => {
      for (const index of await indexesOfCapability(client, capability)) {
        await client.query(`DROP INDEX CONCURRENTLY ${index}`);
      }
    }),
  );
  return true;
}

/** Those of some tables that there are, as SQL. */
async function existing(
  client: PostgresClient,
  tables: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await client.query<{ relation: string }>(
    `SELECT n AS relation FROM (SELECT quote_ident(unnest($1::text[])) AS n) x
       WHERE to_regclass(n) IS NOT NULL`,
    [tables],
  );
  return rows.map(({ relation }) => relation);
}

/** Whether no other capability is installed. */
async function isLast(client: PostgresClient, capability: string): Promise<boolean> {
  const installs = await existing(client, ['fig_install']);
  if (installs.length === 0) return true;
  const others = await client.query('SELECT FROM fig_install WHERE capability <> $1 LIMIT 1', [
    capability,
  ]);
  return others.rowCount === 0;
}

async function removeShared(client: PostgresClient, tables: readonly string[]): Promise<void> {
  for (const table of tables) await client.query(`DROP TABLE ${table}`);
  await client.query(`DROP FUNCTION IF EXISTS ${name(PASS_FUNCTION)}(text, text)`);
  await client.query(`DROP FUNCTION IF EXISTS ${name(PASS_FUNCTION)}(text)`);
  await client.query(`DROP FUNCTION IF EXISTS ${name(MOVE_FUNCTION)}()`);
}
