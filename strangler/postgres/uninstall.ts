import type { PostgresClient, PostgresConnection } from './connection.ts';
import { LOCK_MS, persistently } from './lock-wait.ts';
import { functionsOfCapability, indexesOfCapability } from './marks.ts';
import { installedTriggers } from './replace-triggers.ts';
import { capabilityTables, sharedTables } from './tables.ts';
import { MOVE_FUNCTION, PASS_FUNCTION } from './functions.ts';
import { name } from './values.ts';

/**
 * Takes everything of a capability out of a database again, and what capabilities share with the
 * last of them; the schema is then what it was before the installation.
 * @throws ConfigurationError that says who keeps the tables locked
 */
export async function uninstall(connection: PostgresConnection, capability: string): Promise<void> {
  const known = await connection.transaction((client) => installedTriggers(client, capability));
  const tables = [...new Set(known.map(({ table }) => table))];
  await persistently(connection, tables, () =>
    connection.transaction(
      async (client) => {
        for (const { trigger, relation } of await installedTriggers(client, capability)) {
          await client.query(`DROP TRIGGER ${name(trigger)} ON ${relation}`);
        }
        for (const signature of await functionsOfCapability(client, capability)) {
          await client.query(`DROP FUNCTION ${signature}`);
        }
        for (const table of Object.keys(capabilityTables(capability))) {
          await client.query(`DROP TABLE IF EXISTS ${name(table)}`);
        }
        await removeShared(client, capability);
      },
      { lockMs: LOCK_MS },
    ),
  );
  // Last, and not in a transaction: so nobody waits for it.
  await persistently(connection, tables, () =>
    connection.alone(LOCK_MS, async (client) => {
      for (const index of await indexesOfCapability(client, capability)) {
        await client.query(`DROP INDEX CONCURRENTLY ${index}`);
      }
    }),
  );
}

async function removeShared(client: PostgresClient, capability: string): Promise<void> {
  const { rows } = await client.query<{ known: boolean }>(
    "SELECT to_regclass('fig_install') IS NOT NULL AS known",
  );
  if (rows[0]?.known !== true) return;
  await client.query('DELETE FROM fig_install WHERE capability = $1', [capability]);
  const others = await client.query('SELECT FROM fig_install LIMIT 1');
  if (others.rowCount === 0) {
    await client.query(`DROP TABLE IF EXISTS ${Object.keys(sharedTables).join(', ')}`);
    await client.query(`DROP FUNCTION IF EXISTS ${name(PASS_FUNCTION)}(text, text)`);
    await client.query(`DROP FUNCTION IF EXISTS ${name(PASS_FUNCTION)}(text)`);
    await client.query(`DROP FUNCTION IF EXISTS ${name(MOVE_FUNCTION)}()`);
    return;
  }
  await client.query(
    `DELETE FROM fig_journal WHERE handover IN
       (SELECT id FROM fig_handover WHERE capability = $1
         UNION SELECT id FROM fig_completion WHERE capability = $1)`,
    [capability],
  );
  for (const [table, definition] of Object.entries(sharedTables)) {
    if (!definition.includes('capability TEXT')) continue;
    await client.query(`DELETE FROM ${table} WHERE capability = $1`, [capability]);
  }
}
