import { refuseProblems } from '../../check/schema-check.ts';
import type { SideName } from '../../../routing/side.ts';
import {
  completeShape,
  demandReconcile,
  laterColumns,
  readShape,
  refuseLedger,
  saveShape,
  saveVersion,
  seed,
} from '../../ledger/index.ts';
import type { LaterColumn, Tx } from '../../ledger/index.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { functionsOf } from './functions.ts';
import type { WantedFunction } from './functions.ts';
import { createIndexes, indexStatements } from './indexes.ts';
import { postgres, PostgresLedger, PostgresTx } from './ledger.ts';
import { marking } from './marks.ts';
import { replaceTriggers, wantedTriggers } from './replace-triggers.ts';
import { checkSchemas, foreignTriggers } from './problems.ts';
import { readSchemas } from './schema.ts';
import type { Schemas } from './schema.ts';
import { shapeOf } from './shape.ts';
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
    await refuseLedger(new PostgresLedger(connection).reads, postgres, connection.url, side);
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

/** Adds to the shared tables of an earlier version what they lack. */
export async function upgradeTables(connection: PostgresConnection): Promise<void> {
  for (const column of laterColumns) await addColumn(connection, column);
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
  const tx = new PostgresTx(client);
  await saveVersion(tx);
  await client.query('GRANT SELECT ON fig_fence TO PUBLIC');
  const { fresh } = await seed(tx, postgres, mapping, side);
  await seedFeed(tx, mapping.capability);
  await replaceFunctions(client, mapping, side, schemas);
  await client.query(FENCE_TRIGGER);
  const wanted = await wantedTriggers(client, mapping, side);
  const missing = await replaceTriggers(client, mapping, wanted);
  if (fresh || (await readShape(tx, mapping.capability)) === undefined) {
    await saveShape(tx, mapping.capability, shapeOf(schemas));
    return;
  }
  await completeShape(tx, mapping.capability, shapeOf(schemas));
  if (missing.length > 0) {
    // Somebody took them away, and what was written since is in no feed.
    const reason = `${side} had lost triggers of Fig (${missing.join(', ')})`;
    await demandReconcile(tx, postgres, mapping.capability, reason);
  }
}

/** Installs on the schema as it is now, whatever it was before; nobody knows what was missed. */
export async function installAnew(
  connection: PostgresConnection,
  mapping: Mapping,
  side: SideName,
): Promise<void> {
  await install(connection, mapping, side);
  await new PostgresLedger(connection).transaction(async (tx) => {
    const { client } = tx;
    const schemas = await readSchemas(client, tablesOf(mapping, side));
    await saveShape(tx, mapping.capability, shapeOf(schemas));
    await client.query('DELETE FROM fig_uncaptured WHERE capability = $1', [mapping.capability]);
    await demandReconcile(tx, postgres, mapping.capability, `the schema of ${side} has changed`);
  });
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

/** The first row of the feed, and the position that it has. */
async function seedFeed(tx: Tx, capability: string): Promise<void> {
  await tx.run(
    `INSERT INTO ${name(feedTable(capability))} (position, tx, tbl, key, op, image, epoch, at)
       SELECT 1, 0, '', '{}', 'heartbeat', NULL, 0, ${NOW_SQL}
       WHERE NOT EXISTS (SELECT FROM fig_sequence WHERE capability = $1)`,
    [capability],
  );
  await tx.run(
    'INSERT INTO fig_sequence (capability, last) VALUES ($1, 1) ON CONFLICT DO NOTHING',
    [capability],
  );
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
