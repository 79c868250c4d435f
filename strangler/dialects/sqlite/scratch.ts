import type { Database } from 'better-sqlite3';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { openSqliteFile, sqliteFile } from '../../../chassis/index.ts';
import { foreignAmong, MARK_TABLE, SCRATCH_TABLES } from '../../conformance/scratch.ts';
import type { Contents, ScratchDatabase, ScratchFence } from '../../conformance/scratch.ts';
import { sharedTables } from './tables.ts';
import { name } from './values.ts';

/** As long as the engine waits for the write lock, in ms. */
const LOCK_MS = 10_000;

const CLOSE = `UPDATE fig_fence SET state = 'closed', epoch = epoch + 1 WHERE capability = ?`;

/** A SQLite file for conformance. @throws where there is no such file */
export function openSqliteScratch(url: string): ScratchDatabase {
  const database = openSqliteFile(sqliteFile(url), { fileMustExist: true, timeout: LOCK_MS });
  const tablesOf = (): readonly string[] =>
    database
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .pluck()
      .all() as string[];
  const drop = (): void => {
    const tables = new Set(tablesOf());
    if (!tables.has(MARK_TABLE)) return;
    for (const table of SCRATCH_TABLES) database.exec(`DROP TABLE IF EXISTS ${table}`);
  };
  const put = (capability: string, fences: readonly ScratchFence[]): void => {
    database.prepare('DELETE FROM fig_fence WHERE capability = ?').run(capability);
    const insert = database.prepare(
      'INSERT INTO fig_fence (capability, key, state, epoch) VALUES (?, ?, ?, ?)',
    );
    for (const { key, state, epoch } of fences) insert.run(capability, key, state, epoch);
  };
  const contents = (leftOut: ReadonlySet<string>): Contents =>
    new Map(
      tablesOf()
        .filter((table) => !table.startsWith('fig_') && !leftOut.has(table))
        .map((table) => [table, contentsOf(database, table)]),
    );
  const alone = <T>(work: () => T): T => database.transaction(work).immediate();
  return {
    foreignTables: async () => foreignAmong(tablesOf()),
    async install(capability) {
      alone(() => {
        drop();
        database.exec(`CREATE TABLE ${MARK_TABLE} (capability TEXT NOT NULL)`);
        database.exec(`CREATE TABLE fig_fence ${sharedTables['fig_fence'] ?? ''}`);
        put(capability, [{ key: '*', state: 'open', epoch: 1 }]);
      });
    },
    async set(capability, fences) {
      alone(() => put(capability, fences));
    },
    async remove() {
      alone(drop);
    },
    contents: async (leftOut) => contents(leftOut),
    async closeAcross({ capability, leftOut, graceMs, write }) {
      // Whoever writes waits for this lock, and nothing tells that it does: it is given the time.
      database.exec('BEGIN IMMEDIATE');
      try {
        database.prepare(CLOSE).run(capability);
        const writing = write();
        await Promise.race([writing.catch(() => undefined), delay(graceMs)]);
        const atClose = contents(leftOut);
        database.exec('COMMIT');
        return { answer: await writing, waited: false, atClose };
      } finally {
        if (database.inTransaction) database.exec('ROLLBACK');
      }
    },
    async close() {
      database.close();
    },
  };
}

function contentsOf(database: Database, table: string): string {
  const rows = database
    .prepare(`SELECT * FROM ${name(table)}`)
    .safeIntegers()
    .raw()
    .iterate();
  const hashes: string[] = [];
  for (const row of rows as IterableIterator<readonly unknown[]>) hashes.push(hashOf(row));
  return `${hashes.length} ${hashOf(hashes.sort())}`;
}

function hashOf(values: readonly unknown[]): string {
  const hash = createHash('sha256');
  for (const value of values) {
    hash.update(Buffer.isBuffer(value) ? value : String(value)).update(`\0${typeof value}\0`);
  }
  return hash.digest('base64');
}
