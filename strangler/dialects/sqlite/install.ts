import { refuseProblems } from '../../schema-check.ts';
import type { SideName } from '../../side.ts';
import { demandReconcile, isHeld, refuseLedger, saveVersion, seed } from '../../ledger/index.ts';
import type { Tx } from '../../ledger/index.ts';
import { UNFINISHED_INDEX } from '../../unfinished-handovers.ts';
import type { Lease } from '../../store.ts';
import { checkMapping } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SqliteConnection } from './connection.ts';
import { sqlite, SqliteLedger } from './ledger.ts';
import { checkSchema, foreignTriggers, freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { feedSchema, feedTable, NEWEST_INDEX, NOW_SQL, sharedTables } from './tables.ts';
import { brokenSeals, seal } from './seal.ts';
import { completeShape, installedShape, saveShape } from './shape.ts';
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
    const prepare: Prepare = (sql) => connection.write(sql);
    if (fresh || installedShape(prepare, capability) === undefined) {
      saveShape(prepare, mapping, side);
      seal(connection, capability);
      return;
    }
    // An earlier version knew of fewer triggers, and sealed none.
    const earlier = completeShape(prepare, mapping, side);
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
    saveShape((sql) => connection.write(sql), mapping, side);
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
  addColumn(connection, 'fig_fence', 'watch', 'INTEGER NOT NULL DEFAULT 0');
  addColumn(connection, 'fig_handover', 'keys', 'TEXT');
  addColumn(connection, 'fig_applied', 'mark', 'TEXT');
}

/** To a table of an earlier version. */
function addColumn(
  connection: SqliteConnection,
  table: string,
  column: string,
  definition: string,
): void {
  const known = connection.write('SELECT 1 FROM pragma_table_info(?) WHERE name = ?');
  if (known.get(table, column) !== undefined) return;
  connection.execute(`ALTER TABLE ${name(table)} ADD COLUMN ${name(column)} ${definition}`);
}

function tableStatements(capability: string): readonly string[] {
  const shared = Object.entries(sharedTables).map(
    ([table, definition]) => `CREATE TABLE IF NOT EXISTS ${table} ${definition}`,
  );
  return [...shared, NEWEST_INDEX, UNFINISHED_INDEX, ...feedSchema(capability)];
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
    const shared = connection
      .write(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'fig_install'`)
      .get();
    if (shared !== undefined) removeShared(connection, capability);
    return true;
  });
}

function removeShared(connection: SqliteConnection, capability: string): void {
  connection.write('DELETE FROM fig_install WHERE capability = ?').run(capability);
  const others = connection.write('SELECT 1 FROM fig_install LIMIT 1').get() !== undefined;
  if (!others) {
    for (const table of Object.keys(sharedTables))
      connection.execute(`DROP TABLE IF EXISTS ${table}`);
    return;
  }
  connection
    .write(
      `DELETE FROM fig_journal WHERE handover IN
            (SELECT id FROM fig_handover WHERE capability = ?
              UNION SELECT id FROM fig_completion WHERE capability = ?)`,
    )
    .run(capability, capability);
  const perCapability = Object.entries(sharedTables)
    .filter(([, definition]) => definition.includes('capability TEXT'))
    .map(([table]) => table);
  for (const table of perCapability) {
    connection.write(`DELETE FROM ${table} WHERE capability = ?`).run(capability);
  }
}
