import { randomUUID } from 'node:crypto';
import { refuseProblems } from '../../schema-check.ts';
import type { SideName } from '../../side.ts';
import { refuseTwoUnfinished, UNFINISHED_SQL } from '../../unfinished-handovers.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { functionsOf } from './functions.ts';
import type { WantedFunction } from './functions.ts';
import { createIndexes, indexStatements } from './indexes.ts';
import { checkLedgerVersion, saveLedgerVersion } from './ledger-version.ts';
import { marking } from './marks.ts';
import { replaceTriggers, wantedTriggers } from './replace-triggers.ts';
import { checkSchemas, foreignTriggers } from './problems.ts';
import { readSchemas } from './schema.ts';
import type { Schemas } from './schema.ts';
import { completeShape, installedShape, saveShape } from './shape.ts';
import { lockTables, persistently } from './table-locks.ts';
import { feedTable, tableStatements } from './tables.ts';
import { FENCE_TRIGGER, triggersOf } from './triggers.ts';
import { name, NOW_SQL } from './values.ts';

/**
 * Puts Fig's tables, functions, indexes and triggers for one capability into one side's database, or
 * brings them up to date; running it again changes nothing. The first time, legacy is the owner.
 * @throws ConfigurationError that lists every reason why the mapping can't be used here, or says who
 *   keeps the tables locked, or that a newer build has installed its own
 */
export function install(
  connection: PostgresConnection,
  mapping: Mapping,
  side: SideName,
): Promise<void> {
  return connection.exclusively('fig install', async () => {
    await checkLedgerVersion(connection);
    refuseTwoUnfinished(side, await unfinishedHandovers(connection));
    const tables = tablesOf(mapping, side);
    const schemas = await connection.snapshot((client) => readSchemas(client, tables));
    refuseProblems(mapping.capability, checkSchemas(schemas, mapping, side));
    await createIndexes(connection, mapping, side, schemas);
    const failed = `triggers of ${mapping.capability} could not be made`;
    await persistently(connection, tables, failed, async () => {
      await upgradeTables(connection);
      await connection.transaction((client) => create(client, mapping, side, schemas));
    });
  });
}

/** None where the table is not there yet. */
async function unfinishedHandovers(
  connection: PostgresConnection,
): Promise<readonly { id: string; capability: string }[]> {
  const exists = await connection.query(`SELECT WHERE to_regclass('fig_handover') IS NOT NULL`);
  if (exists.rowCount === 0) return [];
  return (await connection.query<{ id: string; capability: string }>(UNFINISHED_SQL)).rows;
}

interface LaterColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

/** What shared tables did not have in earlier versions. */
const LATER_COLUMNS: readonly LaterColumn[] = [
  { table: 'fig_fence', column: 'watch', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'fig_handover', column: 'keys', type: 'TEXT' },
  { table: 'fig_applied', column: 'mark', type: 'TEXT' },
];

/** Adds to the shared tables of an earlier version what they lack. */
export async function upgradeTables(connection: PostgresConnection): Promise<void> {
  for (const column of LATER_COLUMNS) await addColumn(connection, column);
}

/**
 * In a transaction of its own, and only where it is missing: all who write read fences, and would wait
 * for as long as the table is locked.
 */
async function addColumn(
  connection: PostgresConnection,
  { table, column, type }: LaterColumn,
): Promise<void> {
  const { rowCount: lacking } = await connection.query(
    `SELECT WHERE to_regclass($1) IS NOT NULL AND NOT EXISTS
       (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2)`,
    [table, column],
  );
  if (lacking === 0) return;
  await connection.transaction(async (client) => {
    await lockTables(client, [table], 'ACCESS EXCLUSIVE');
    await client.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column} ${type}`);
  });
}

async function create(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
): Promise<void> {
  for (const statement of tableStatements(mapping.capability)) await client.query(statement);
  await saveLedgerVersion(client);
  await client.query('GRANT SELECT ON fig_fence TO PUBLIC');
  const { fresh } = await seed(client, mapping, side);
  await replaceFunctions(client, mapping, side, schemas);
  await client.query(FENCE_TRIGGER);
  const wanted = await wantedTriggers(client, mapping, side);
  const missing = await replaceTriggers(client, mapping, wanted);
  if (fresh || (await installedShape(client, mapping.capability)) === undefined) {
    await saveShape(client, mapping.capability, schemas);
    return;
  }
  await completeShape(client, mapping.capability, schemas);
  if (missing.length > 0) {
    // Somebody took them away, and what was written since is in no feed.
    const reason = `${side} had lost triggers of Fig (${missing.join(', ')})`;
    await demandReconcile(client, mapping.capability, reason);
  }
}

/** Installs on the schema as it is now, whatever it was before; nobody knows what was missed. */
export async function installAnew(
  connection: PostgresConnection,
  mapping: Mapping,
  side: SideName,
): Promise<void> {
  await install(connection, mapping, side);
  await connection.transaction(async (client) => {
    await saveShape(client, mapping.capability, await readSchemas(client, tablesOf(mapping, side)));
    await client.query('DELETE FROM fig_uncaptured WHERE capability = $1', [mapping.capability]);
    await demandReconcile(client, mapping.capability, `the schema of ${side} has changed`);
  });
}

/** By the database's clock: whoever demands may be on another machine than the engine that compares. */
export async function demandReconcile(
  client: PostgresClient,
  capability: string,
  reason: string,
): Promise<void> {
  await client.query(
    `INSERT INTO fig_demand (capability, reason, at) VALUES ($1, $2, ${NOW_SQL})
       ON CONFLICT (capability) DO UPDATE SET reason = excluded.reason, at = excluded.at`,
    [capability, reason],
  );
}

/** Everything that installing creates in a database where nothing is installed, in order. */
export function installStatements(
  schemas: Schemas,
  mapping: Mapping,
  side: SideName,
  searchPath: string,
): readonly string[] {
  return [
    ...indexStatements(schemas, mapping, side).map(({ sql }) => sql),
    ...tableStatements(mapping.capability),
    ...wantedFunctions(schemas, mapping, side, searchPath).map(({ sql }) => sql),
    FENCE_TRIGGER,
    ...triggersOf(mapping, side).flatMap(({ sql, table, trigger }) => [
      sql,
      `ALTER TABLE ${name(table)} ENABLE ALWAYS TRIGGER ${name(trigger)}`,
    ]),
  ];
}

function wantedFunctions(
  schemas: Schemas,
  mapping: Mapping,
  side: SideName,
  searchPath: string,
): readonly WantedFunction[] {
  const foreign = new Set(foreignTriggers(schemas, mapping, side).map(({ table }) => table));
  return functionsOf(mapping, side, searchPath, (table) => ({
    columns: [...(schemas.get(table)?.byName.values() ?? [])],
    busy: foreign.has(table),
  }));
}

/** @returns whether nothing was installed before, or with another mapping */
async function seed(
  client: PostgresClient,
  { capability, hash }: Mapping,
  side: SideName,
): Promise<{ readonly fresh: boolean }> {
  const owner = side === 'legacy';
  await client.query(
    `INSERT INTO fig_fence (capability, key, state, epoch) VALUES ($1, '*', $2, $3)
       ON CONFLICT DO NOTHING`,
    [capability, owner ? 'open' : 'closed', owner ? 1 : 0],
  );
  const { rows } = await client.query<{ mapping_hash: string }>(
    'SELECT mapping_hash FROM fig_install WHERE capability = $1',
    [capability],
  );
  const known = rows[0]?.mapping_hash;
  if (known === undefined) {
    await client.query(
      `INSERT INTO fig_install (capability, side, mapping_hash, incarnation, complete, at)
         VALUES ($1, $2, $3, $4, $5, ${NOW_SQL})`,
      [capability, side, hash, randomUUID(), owner],
    );
  } else if (known !== hash) {
    await changeMapping(client, capability, hash);
  }
  await client.query(
    `INSERT INTO ${name(feedTable(capability))} (position, tx, tbl, key, op, image, epoch, at)
       SELECT 1, 0, '', '{}', 'heartbeat', NULL, 0, ${NOW_SQL}
       WHERE NOT EXISTS (SELECT FROM fig_sequence WHERE capability = $1)`,
    [capability],
  );
  await client.query(
    'INSERT INTO fig_sequence (capability, last) VALUES ($1, 1) ON CONFLICT DO NOTHING',
    [capability],
  );
  return { fresh: known !== hash };
}

/** Another mapping may carry other columns: a copy made through the old one is worth nothing. */
async function changeMapping(
  client: PostgresClient,
  capability: string,
  hash: string,
): Promise<void> {
  await client.query(
    `UPDATE fig_install SET mapping_hash = $1, at = ${NOW_SQL}, complete =
         (SELECT state = 'open' FROM fig_fence WHERE capability = $2 AND key = '*')
       WHERE capability = $2`,
    [hash, capability],
  );
  await client.query('DELETE FROM fig_backfill WHERE capability = $1', [capability]);
}

/** The schemas that names without one are looked up in, as SQL. */
export async function searchPathOf(client: PostgresClient): Promise<string> {
  const { rows } = await client.query<{ path: string }>(
    `SELECT string_agg(quote_ident(s), ', ' ORDER BY nr) AS path
       FROM unnest(current_schemas(false)) WITH ORDINALITY x (s, nr)`,
  );
  return rows[0]?.path ?? 'public';
}

/** A function that is replaced locks nobody, so all of them are, each time. */
async function replaceFunctions(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
): Promise<void> {
  const searchPath = await searchPathOf(client);
  for (const { sql, signature, shared } of wantedFunctions(schemas, mapping, side, searchPath)) {
    await client.query(sql);
    if (!shared) await client.query(marking('FUNCTION', signature, mapping.capability));
  }
}
