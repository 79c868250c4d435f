import Database from 'better-sqlite3';
import { Client, types } from 'pg';
import { dialectOf, sqliteFile } from '../../../chassis/index.ts';
import type { Dialect } from '../../../chassis/index.ts';

export type Sql = readonly [text: string, ...values: (string | number | null)[]];

/** What became of a transaction; after `fenced` and `busy` nothing has happened. */
export type Outcome = 'done' | 'fenced' | 'busy';

/** A person at a SQL prompt of one database, who speaks SQLite's words. */
export interface Prompt {
  readonly dialect: Dialect;
  /** Runs statements in one transaction; one that touches no row has met a fence, or might have. */
  change(statements: readonly Sql[]): Promise<Outcome>;
  /** The values of each row, by column. */
  rows(sql: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function openPrompt(url: string): Promise<Prompt> {
  return dialectOf(url) === 'sqlite' ? onSqlite(sqliteFile(url)) : onPostgres(url);
}

/** A fence is a trigger: it says nothing where no row is there to be changed. */
const NOTHING_THERE = 'FENCED: no row was there';

/** Waiting inside SQLite would stop this process, and with it whoever wakes a paused one up. */
function onSqlite(file: string): Prompt {
  const database = new Database(file, { timeout: 0 });
  const change = database.transaction((statements: readonly Sql[]) => {
    let changes = 0;
    for (const [text, ...values] of statements)
      changes += database.prepare(text).run(...values).changes;
    if (changes === 0) throw new Error(NOTHING_THERE);
  });
  return {
    dialect: 'sqlite',
    change: async (statements) =>
      outcomeOf(() => Promise.resolve(change.immediate(statements)), 'SQLITE_BUSY'),
    rows: async (sql) => database.prepare(sql).safeIntegers().all() as Record<string, unknown>[],
    close: async () => void database.close(),
  };
}

const WHOLE: ReadonlySet<number> = new Set([types.builtins.INT4, types.builtins.INT8]);

/** Whole numbers as the other dialect's driver gives them; the rest as text. */
const VALUES = {
  getTypeParser: (oid: number) =>
    (WHOLE.has(oid) ? BigInt : (text: string) => text) as (text: never) => unknown,
};

async function onPostgres(url: string): Promise<Prompt> {
  const client = new Client({ connectionString: url, types: VALUES });
  await client.connect();
  const change = async (statements: readonly Sql[]): Promise<void> => {
    let changes = 0;
    await client.query('BEGIN');
    try {
      for (const statement of statements.flatMap(inPostgres)) {
        const [text, ...values] = statement;
        changes += (await client.query(text, values)).rowCount ?? 0;
      }
      if (changes === 0) throw new Error(NOTHING_THERE);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    }
  };
  return {
    dialect: 'postgres',
    change: (statements) => outcomeOf(() => change(statements), '40'),
    rows: async (sql) => (await client.query<Record<string, unknown>>(sql)).rows,
    close: () => client.end(),
  };
}

async function outcomeOf(work: () => Promise<void>, busy: string): Promise<Outcome> {
  try {
    await work();
    return 'done';
  } catch (error) {
    if (String(error).includes('FENCED')) return 'fenced';
    if (String((error as { code?: unknown }).code).startsWith(busy)) return 'busy';
    throw error;
  }
}

/** The key of each table whose rows are replaced: its first column. */
const KEYS: Readonly<Record<string, string>> = {
  INV_STOCK: 'SKU_CD',
  INV_RSV: 'RSV_NO',
  stock_levels: 'sku',
  stock_holds: 'sku',
  reservations: 'id',
};

/** REPLACE is a DELETE and an INSERT; names with capitals are quoted, parameters numbered. */
function inPostgres([text, ...values]: Sql): Sql[] {
  const table = /^REPLACE INTO (\w+)/.exec(text)?.[1];
  if (table === undefined) return [[worded(text), ...values]];
  const gone = `DELETE FROM ${table} WHERE ${KEYS[table] ?? ''} = ?`;
  return [
    [worded(gone), values[0] ?? null],
    [worded(text.replace('REPLACE', 'INSERT')), ...values],
  ];
}

function worded(sql: string): string {
  let index = 0;
  return quoted(sql).replaceAll('?', () => `$${(index += 1)}`);
}

/** The old system's names are of capitals and underscores; no text in a statement is. */
export function quoted(sql: string): string {
  return sql.replaceAll(/\b[A-Z]+(_[A-Z]+)+\b/g, '"$&"');
}
