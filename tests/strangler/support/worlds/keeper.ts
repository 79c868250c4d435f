import Database from 'better-sqlite3';
import { Client, types } from 'pg';
import { dialectOf, sqliteFile } from '../../../../chassis/index.ts';
import type { SqlValue } from '../../../../strangler/mapping/index.ts';
import { happen } from '../history.ts';
import type { Event } from '../history.ts';
import type { Cells } from './entity.ts';
import { quoted } from './view.ts';

/** Somebody at a prompt of one side's database. */
export interface Keeper {
  /** Carries out an event in one transaction. @returns whether the schema took it */
  happen(event: Event): Promise<boolean>;
  /** All rows of a table, whole numbers as bigints. */
  rows(table: string): Promise<readonly Cells[]>;
  close(): Promise<void>;
}

export async function openKeeper(url: string): Promise<Keeper> {
  return dialectOf(url) === 'sqlite' ? onSqlite(url) : onPostgres(url);
}

function onSqlite(url: string): Keeper {
  const prompt = new Database(sqliteFile(url), { timeout: 5_000 });
  // Like the sqlite3 command: REPLACE fires no delete triggers.
  prompt.pragma('recursive_triggers = OFF');
  return {
    happen: async (event) => happen(prompt, event),
    rows: async (table) =>
      prompt
        .prepare(`SELECT * FROM ${quoted(table)}`)
        .safeIntegers()
        .all() as Cells[],
    close: async () => void prompt.close(),
  };
}

async function onPostgres(url: string): Promise<Keeper> {
  const client = new Client({ connectionString: url, types: AS_SQLITE_HAS_THEM });
  await client.connect();
  return {
    async happen(event) {
      await client.query('BEGIN');
      try {
        for (const [sql, ...values] of event) await client.query(numbered(sql), values);
        await client.query('COMMIT');
        return true;
      } catch (error) {
        await client.query('ROLLBACK');
        if (!String((error as { code?: unknown }).code).startsWith('23')) throw error;
        return false;
      }
    },
    rows: async (table) => (await client.query<Cells>(`SELECT * FROM ${quoted(table)}`)).rows,
    close: () => client.end(),
  };
}

/** Question marks as PostgreSQL has them; those within a name or a text stay. */
function numbered(sql: string): string {
  let index = 0;
  return sql.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\?/g, (found) =>
    found === '?' ? `$${(index += 1)}` : found,
  );
}

const { BOOL, BYTEA, FLOAT8, INT2, INT4, INT8, TIMESTAMP } = types.builtins;

const PARSERS: Readonly<Record<number, (text: string) => SqlValue>> = {
  [INT2]: BigInt,
  [INT4]: BigInt,
  [INT8]: BigInt,
  [BOOL]: (text) => (text === 't' ? 1n : 0n),
  [FLOAT8]: Number,
  [BYTEA]: (text) => Buffer.from(text.slice(2), 'hex'),
  [TIMESTAMP]: (text) => text.replace(/(\.\d+)?$/, (after) => `.${after.slice(1).padEnd(3, '0')}`),
};

/** Values as the same business on SQLite would have them. */
const AS_SQLITE_HAS_THEM = {
  getTypeParser: (oid: number) =>
    (PARSERS[oid] ?? ((text: string) => text)) as (text: never) => unknown,
};
