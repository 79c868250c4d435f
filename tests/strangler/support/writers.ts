import Database from 'better-sqlite3';
import { Client } from 'pg';
import { dialectOf, sqliteFile } from '../../../chassis/index.ts';
import type { SqlValue } from '../../../strangler/mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Business, Queries } from './business.ts';
import { happen } from './history.ts';
import type { Event } from './history.ts';
import { inOwnTurn } from './own-turn.ts';
import { PostgresWords } from './postgres-words.ts';

/** Whoever writes to one side's database past Fig, in the words of its dialect. */
export interface Writer {
  /** Carries out an event in one transaction; one that the schema refuses has no effect. */
  happen(event: Event): Promise<void>;
  /** Runs one statement, in SQLite's words; it must be taken. */
  run(sql: string, ...values: unknown[]): Promise<void>;
  /** The values of a query's first column. */
  values(sql: string): Promise<unknown[]>;
  /** Writes past fence and capture, as the applier does. */
  asApplier(sql: string): Promise<void>;
  /** Begins a transaction with an event, and commits it when told; undefined when it was refused. */
  begin(event: Event): Promise<(() => Promise<void>) | undefined>;
  /** What the extracted tables hold, or must hold for what the legacy ones do. */
  content(): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

/** @param url of a database with the business's schema */
export async function openWriter(url: string, side: SideName, business: Business): Promise<Writer> {
  return dialectOf(url) === 'sqlite'
    ? sqliteWriter(url, side, business)
    : postgresWriter(url, side, business);
}

function sqliteWriter(url: string, side: SideName, { onSqlite }: Business): Writer {
  const prompt = new Database(sqliteFile(url), { timeout: 5_000 });
  return {
    happen: (event) => inOwnTurn(() => void happen(prompt, event)),
    run: (sql, ...values) => inOwnTurn(() => void prompt.prepare(sql).run(...values)),
    values: (sql) => inOwnTurn(() => prompt.prepare(sql).pluck().all()),
    asApplier: (sql) =>
      inOwnTurn(
        () =>
          void prompt.exec(
            `UPDATE fig_clock SET applying = 1; ${sql}; UPDATE fig_clock SET applying = 0`,
          ),
      ),
    // There is one writer at a time, so whoever comes later commits later.
    begin: async (event) => () => inOwnTurn(() => void happen(prompt, event)),
    content: async () => normal(onSqlite(side, prompt)),
    close: async () => void prompt.close(),
  };
}

async function postgresWriter(
  url: string,
  side: SideName,
  { tables, onPostgres }: Business,
): Promise<Writer> {
  const words = new PostgresWords(tables);
  const open: Client[] = [];
  const connect = async (): Promise<Client> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    open.push(client);
    return client;
  };
  const own = await connect();
  const begin = async (client: Client, event: Event): Promise<boolean> => {
    await client.query('BEGIN');
    try {
      // Whoever waits for a transaction that commits later has to give up.
      await client.query(`SET LOCAL lock_timeout = '50ms'`);
      for (const [sql, ...values] of event) await client.query(words.of(sql), values);
      return true;
    } catch (error) {
      await client.query('ROLLBACK');
      if (!/^(22|23|40|55P03)/.test(String((error as { code?: unknown }).code))) throw error;
      return false;
    }
  };
  return {
    happen: async (event) => {
      if (await begin(own, event)) await own.query('COMMIT');
    },
    run: async (sql, ...values) => void (await own.query(words.of(sql), values)),
    values: async (sql) => {
      const { rows } = await own.query({ text: words.of(sql), rowMode: 'array' });
      return rows.map(([value]) => value as unknown);
    },
    asApplier: async (sql) =>
      void (await own.query(`BEGIN; SET LOCAL fig.applying = 'on'; ${words.of(sql)}; COMMIT`)),
    begin: async (event) => {
      const client = await connect();
      if (!(await begin(client, event))) return undefined;
      return async () => void (await client.query('COMMIT'));
    },
    content: async () => normal(await readAll(own, onPostgres[side])),
    close: async () => void (await Promise.all(open.map((client) => client.end()))),
  };
}

async function readAll(client: Client, queries: Queries): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [table, text] of Object.entries(queries)) {
    found[table] = (await client.query({ text, rowMode: 'array' })).rows;
  }
  return found;
}

/** Values and order as no dialect has them, so that contents of two can be compared. */
function normal(
  content: Readonly<Record<string, readonly unknown[]>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(content).map(([table, rows]) => [
      table,
      rows.map((row) => JSON.stringify((row as SqlValue[]).map((value) => plain(value)))).sort(),
    ]),
  );
}

function plain(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') };
  return value === null ? null : String(value);
}
