import { refuseProblems } from '../../check/schema-check.ts';
import type { SideName } from '../../../routing/side.ts';
import {
  completeShape,
  demandReconcile,
  forgetCapability,
  formerTables,
  isHeld,
  laterColumns,
  ledgerIndexes,
  readShape,
  refuseLedger,
  saveShape,
  saveVersion,
  seed,
} from '../../ledger/index.ts';
import type { Tx } from '../../ledger/index.ts';
import type { Lease } from '../../ledger/store.ts';
import { checkMapping } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SqliteConnection } from './connection.ts';
import { sqlite, SqliteLedger } from './ledger.ts';
import type { SqliteTx } from './ledger.ts';
import { checkSchema, foreignTriggers, freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { feedSchema, feedTable, NOW_SQL, sharedTables } from './tables.ts';
import { brokenSeals, seal } from './seal.ts';
import { shapeOf } from './shape.ts';
import { rowidOf, uniqueRules } from './unique-rules.ts';
import { TRIGGER_PURPOSES, triggersOf } from './triggers.ts';
import { name } from './values.ts';

/** How long a change of the schema may wait for those who are writing, in ms. */
const LOCK_MS = 5_000;

/**
 * Puts Fig's tables and triggers for one capability into one side's database, or brings them up to
 * date; running it again changes nothing. The first time, legacy is the owner.
 * @throws ConfigurationError that lists every reason why the mapping can't be used here, or says that
 *   a newer build has installed its own
 * @throws DatabaseLockedError when others keep the database locked for longer than `lockMs`
 */
export function install(
  connection: SqliteConnection,
  mapping: Mapping,
  side: SideName,
  lockMs = LOCK_MS,
): Promise<void> {
  const { capability } = mapping;
  const { url, writing: tx } = new SqliteLedger(connection);
  const work = async (): Promise<void> => {
    await refuseLedger(tx, sqlite, url, side);
    refuseProblems(capability, [
      ...checkMapping(mapping),
      ...checkSchema((sql) => connection.write(sql), mapping, side),
    ]);
    createTables(connection, capability);
    await saveVersion(tx);
    const { fresh } = await seed(tx, sqlite, mapping, side);
    await seedFeed(tx, capability);
    const missing = replaceTriggers(connection, mapping, side);
    const shape = shapeOf(tx.prepare, mapping, side);
    if (fresh || (await readShape(tx, capability)) === undefined) {
      await saveShape(tx, capability, shape);
      seal(connection, capability);
      return;
    }
    // An earlier version knew of fewer triggers, and sealed none.
    const earlier = await completeShape(tx, capability, shape);
    if (earlier) seal(connection, capability);
    const lost = missing.filter((trigger) => !earlier || !LATER_TRIGGER.test(trigger));
    if (lost.length > 0) {
      // Somebody took them away, and what was written since is in no feed.
      const reason = `${side} had lost triggers of Fig (${lost.join(', ')})`;
      await demandReconcile(tx, sqlite, capability, reason);
    }
  };
  return connection.transaction(work, { lockMs });
}

/** What an earlier version did not have on every table. */
export const LATER_TRIGGER = /^fig_.*_(rivals|numbered)_/;

/** Installs on the schema as it is now, whatever it was before; nobody knows what was missed. */
export async function installAnew(
  connection: SqliteConnection,
  mapping: Mapping,
  side: SideName,
): Promise<void> {
  await install(connection, mapping, side);
  await new SqliteLedger(connection).transaction(async (tx) => {
    await saveShape(tx, mapping.capability, shapeOf(tx.prepare, mapping, side));
    seal(connection, mapping.capability);
    await demandReconcile(tx, sqlite, mapping.capability, `the schema of ${side} has changed`);
  });
}

function createTables(connection: SqliteConnection, capability: string): void {
  for (const statement of tableStatements(capability)) connection.execute(statement);
  addLaterColumns(connection);
}

/** Adds to the shared tables of an earlier version what they lack. */
export function upgradeTables(connection: SqliteConnection): Promise<void> {
  return connection.transaction(() => addLaterColumns(connection));
}

function addLaterColumns(connection: SqliteConnection): void {
  const known = connection.write('SELECT 1 FROM pragma_table_info(?) WHERE name = ?');
  for (const { table, column, type } of laterColumns) {
    if (known.get(table, column) !== undefined) continue;
    connection.execute(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  }
}

function tableStatements(capability: string): readonly string[] {
  const shared = Object.entries(sharedTables).map(
    ([table, definition]) => `CREATE TABLE IF NOT EXISTS ${table} ${definition}`,
  );
  return [...shared, ...ledgerIndexes, ...feedSchema(capability)];
}

function isWatched(prepare: Prepare, capability: string): boolean {
  const known = prepare(`SELECT 1 FROM pragma_table_info('fig_fence') WHERE name = 'watch'`);
  if (known.get() === undefined) return false;
  const watch = prepare(`SELECT watch FROM fig_fence WHERE capability = ? AND key = '*'`);
  return ((watch.pluck().get(capability) as number | undefined) ?? 0) > 0;
}

/** Everything that installing creates in a database where nothing is installed, in order. */
export function installStatements(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly string[] {
  const triggers = wantedTriggers(prepare, mapping, side);
  return [...tableStatements(mapping.capability), ...triggers.values()];
}

export function wantedTriggers(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): ReadonlyMap<string, string> {
  const foreign = new Set(foreignTriggers(prepare, mapping, side).map(({ table }) => table));
  const watched = isWatched(prepare, mapping.capability);
  return triggersOf(mapping, side, (table) => ({
    columns: prepare('SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1')
      .pluck()
      .all(table) as string[],
    rules: uniqueRules(prepare, table),
    rowid: rowidOf(prepare, table),
    unique: uniqueColumns(prepare, table),
    busy: foreign.has(table),
    free: freeColumns(prepare, table),
    watched,
  }));
}

/** What the triggers go by, and the first row of the feed, which is never without one. */
async function seedFeed(tx: Tx, capability: string): Promise<void> {
  await tx.run('INSERT INTO fig_clock (id, tx, applying) VALUES (1, 1, 0) ON CONFLICT DO NOTHING');
  const feed = name(feedTable(capability));
  await tx.run(
    `INSERT INTO ${feed} (position, tx, tbl, key, op, image, epoch, at)
       SELECT 1, 0, '', '{}', 'heartbeat', NULL, 0, ${NOW_SQL}
       WHERE NOT EXISTS (SELECT 1 FROM ${feed})`,
  );
}

/**
 * Brings the installed triggers to what the mapping says, in the caller's transaction.
 * @returns those that were not there
 */
export function replaceTriggers(
  connection: SqliteConnection,
  mapping: Mapping,
  side: SideName,
): readonly string[] {
  const wanted = wantedTriggers((sql) => connection.write(sql), mapping, side);
  const installed = installedTriggers((sql) => connection.write(sql), mapping.capability);
  const broken = brokenSeals((sql) => connection.write(sql), mapping.capability, side);
  for (const [trigger, sql] of installed) {
    if (wanted.get(trigger) !== sql) connection.execute(`DROP TRIGGER ${name(trigger)}`);
  }
  for (const [trigger, sql] of wanted) {
    if (installed.get(trigger) !== sql) connection.execute(sql);
  }
  const replaced = [...wanted].some(([trigger, sql]) => installed.get(trigger) !== sql);
  // What somebody else has done is still to be told.
  if (replaced && broken.length === 0) seal(connection, mapping.capability);
  return [...wanted.keys()].filter((trigger) => !installed.has(trigger));
}

/** Triggers of a capability on the business's tables, as SQL by name. */
export function installedTriggers(
  prepare: Prepare,
  capability: string,
): ReadonlyMap<string, string> {
  const prefixes = TRIGGER_PURPOSES.map((purpose) => `fig_${capability}_${purpose}_`);
  const triggers = prepare(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
    .raw()
    .all() as [string, string][];
  return new Map(
    triggers.filter(([trigger]) => prefixes.some((prefix) => trigger.startsWith(prefix))),
  );
}

/** Takes a capability's triggers off the business's tables; inside a transaction. */
export function dropTriggers(connection: SqliteConnection, capability: string): void {
  for (const trigger of installedTriggers((sql) => connection.write(sql), capability).keys()) {
    connection.execute(`DROP TRIGGER ${name(trigger)}`);
  }
}

/**
 * Takes everything of a capability out of a database again, and what capabilities share with the
 * last of them; the schema is then what it was before the installation.
 * @param lease without which nothing is done where another engine has taken over since
 * @returns whether it is out
 */
export function uninstall(
  connection: SqliteConnection,
  capability: string,
  lease?: Lease,
): Promise<boolean> {
  return new SqliteLedger(connection).transaction(async (tx) => {
    if (lease && !(await isHeld(tx, sqlite, lease))) return false;
    dropTriggers(connection, capability);
    connection.execute(`DROP TABLE IF EXISTS ${name(feedTable(capability))}`);
    const shared = await tx.get(sqlite.hasTable, ['fig_install']);
    if (shared !== undefined) await removeShared(tx, capability);
    return true;
  });
}

async function removeShared(tx: SqliteTx, capability: string): Promise<void> {
  await tx.run('DELETE FROM fig_install WHERE capability = $1', [capability]);
  const other = await tx.get('SELECT 1 FROM fig_install LIMIT 1');
  if (other !== undefined) return forgetCapability(tx, sharedTables, capability);
  for (const table of [...Object.keys(sharedTables), ...formerTables]) {
    await tx.run(`DROP TABLE IF EXISTS ${table}`);
  }
}
