import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { dialectOf, sqliteFile } from '../../chassis/index.ts';
import type { Dialect } from '../../chassis/index.ts';
import { temporaryPostgresDatabase } from '../../tests/support/index.ts';
import type { SideName } from '../side.ts';
import type { SqlValue } from '../mapping/index.ts';
import { contentOfExtracted, expectedOfLegacy, happen } from './history.ts';
import type { Event } from './history.ts';
import { postgresShopSchema } from './postgres-shop.ts';
import { shopSchema } from './shop.ts';

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

/** @param url of a database with the shop's schema */
export async function openWriter(url: string, side: SideName): Promise<Writer> {
  return dialectOf(url) === 'sqlite' ? sqliteWriter(url, side) : postgresWriter(url, side);
}

function sqliteWriter(url: string, side: SideName): Writer {
  const prompt = new Database(sqliteFile(url), { timeout: 5_000 });
  return {
    happen: async (event) => void happen(prompt, event),
    run: async (sql, ...values) => void prompt.prepare(sql).run(...values),
    values: async (sql) => prompt.prepare(sql).pluck().all(),
    asApplier: async (sql) =>
      void prompt.exec(
        `UPDATE fig_clock SET applying = 1; ${sql}; UPDATE fig_clock SET applying = 0`,
      ),
    // There is one writer at a time, so whoever comes later commits later.
    begin: async (event) => async () => void happen(prompt, event),
    content: async () =>
      normal(side === 'legacy' ? expectedOfLegacy(prompt) : contentOfExtracted(prompt)),
    close: async () => void prompt.close(),
  };
}

async function postgresWriter(url: string, side: SideName): Promise<Writer> {
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
      for (const [sql, ...values] of event) await client.query(inPostgres(sql), values);
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
    run: async (sql, ...values) => void (await own.query(inPostgres(sql), values)),
    values: async (sql) => {
      const { rows } = await own.query({ text: inPostgres(sql), rowMode: 'array' });
      return rows.map(([value]) => value as unknown);
    },
    asApplier: async (sql) =>
      void (await own.query(`BEGIN; SET LOCAL fig.applying = 'on'; ${inPostgres(sql)}; COMMIT`)),
    begin: async (event) => {
      const client = await connect();
      if (!(await begin(client, event))) return undefined;
      return async () => void (await client.query('COMMIT'));
    },
    content: async () => normal(await readAll(own, CONTENT[side])),
    close: async () => void (await Promise.all(open.map((client) => client.end()))),
  };
}

const TABLES: Readonly<Record<string, { key: readonly string[]; rest: readonly string[] }>> = {
  STOCK: { key: ['SKU'], rest: ['QTY', 'RSV', 'NOTE'] },
  LINES: { key: ['DOC', 'NO'], rest: ['SLUG', 'DATA'] },
  PAY: { key: ['PAY_NO'], rest: ['AMT', 'STAT', 'CRT', 'UPD'] },
  RFND: { key: ['RFND_NO'], rest: ['PAY_NO', 'AMT', 'STAT', 'CRT', 'UPD'] },
  levels: { key: ['sku'], rest: ['on_hand', 'note'] },
  holds: { key: ['sku'], rest: ['reserved'] },
  lines: { key: ['doc', 'no'], rest: ['slug', 'data'] },
  payments: { key: ['id'], rest: ['amount', 'created_at'] },
  entries: { key: ['payment_id', 'entry_id'], rest: ['kind', 'amount', 'at'] },
};

const CAPITALS = new RegExp(
  String.raw`\b(${[
    ...new Set(
      Object.entries(TABLES).flatMap(([table, { key, rest }]) => [table, ...key, ...rest]),
    ),
  ]
    .filter((word) => /^[A-Z]/.test(word))
    .join('|')})\b`,
  'g',
);

/** An event's SQL as PostgreSQL has it: REPLACE, for one, makes no room for other rows there. */
function inPostgres(sql: string): string {
  const [, verb, table = ''] = /^(INSERT OR \w+|INSERT|REPLACE) INTO (\w+)/.exec(sql) ?? [];
  const { key = [], rest = [] } = TABLES[table] ?? {};
  const set = rest.map((column) => `${column} = excluded.${column}`).join(', ');
  const body = sql
    .replace(/^(INSERT OR \w+|REPLACE) INTO/, 'INSERT INTO')
    .replace(/^UPDATE OR \w+/, 'UPDATE')
    .replace('ON CONFLICT DO UPDATE', `ON CONFLICT (${key.join(', ')}) DO UPDATE`);
  const conflict =
    verb === 'INSERT OR IGNORE'
      ? ' ON CONFLICT DO NOTHING'
      : verb === 'REPLACE' || verb === 'INSERT OR REPLACE'
        ? ` ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set}`
        : '';
  let index = 0;
  return `${body}${conflict}`
    .replaceAll(CAPITALS, '"$1"')
    .replaceAll('?', () => `$${(index += 1)}`);
}

const ms = (column: string): string =>
  `CASE WHEN isfinite("${column}") THEN round(extract(epoch FROM "${column}") * 1000)::bigint END`;
const minor = `CASE WHEN "AMT" <> 'NaN' THEN replace("AMT"::text, '.', '')::bigint END`;

const CONTENT: Readonly<Record<SideName, Readonly<Record<string, string>>>> = {
  legacy: {
    levels: 'SELECT "SKU", "QTY", "NOTE" FROM "STOCK"',
    holds: 'SELECT "SKU", "RSV" FROM "STOCK"',
    lines: 'SELECT * FROM "LINES"',
    payments: `SELECT "PAY_NO", ${minor}, ${ms('CRT')} FROM "PAY"`,
    entries: `SELECT "PAY_NO", 'settlement', CASE "STAT" WHEN 'S' THEN 'captured' ELSE 'declined' END,
        ${minor}, ${ms('UPD')} FROM "PAY" WHERE "STAT" <> 'P'
      UNION ALL SELECT "PAY_NO", 'refund:' || "RFND_NO", 'refund_requested', ${minor}, ${ms('CRT')}
        FROM "RFND"
      UNION ALL SELECT "PAY_NO", 'refunded:' || "RFND_NO", 'refunded', ${minor}, ${ms('UPD')}
        FROM "RFND" WHERE "STAT" = 'S'`,
  },
  extracted: {
    levels: 'SELECT * FROM levels',
    holds: 'SELECT * FROM holds',
    lines: 'SELECT * FROM lines',
    payments: 'SELECT * FROM payments',
    entries: 'SELECT * FROM entries',
  },
};

async function readAll(
  client: Client,
  queries: Readonly<Record<string, string>>,
): Promise<Record<string, unknown[]>> {
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

/** The dialects of both sides. */
export type Pairing = Readonly<Record<SideName, Dialect>>;

/** All there are, the common first migration first. */
export const pairings: readonly Pairing[] = [
  { legacy: 'sqlite', extracted: 'postgres' },
  { legacy: 'postgres', extracted: 'postgres' },
  { legacy: 'postgres', extracted: 'sqlite' },
];

export interface Owners {
  readonly urls: Readonly<Record<SideName, string>>;
  readonly writers: Readonly<Record<SideName, Writer>>;
}

/** Runs `work` with two fresh databases of the shop's schema, and who writes to them. */
export async function withOwners<T>(
  pairing: Pairing,
  work: (owners: Owners) => Promise<T>,
): Promise<T> {
  const [legacy, extracted] = [
    await makeDatabase(pairing.legacy, 'legacy'),
    await makeDatabase(pairing.extracted, 'extracted'),
  ];
  const urls = { legacy: legacy.url, extracted: extracted.url };
  const writers = {
    legacy: await openWriter(urls.legacy, 'legacy'),
    extracted: await openWriter(urls.extracted, 'extracted'),
  };
  try {
    return await work({ urls, writers });
  } finally {
    await writers.legacy.close();
    await writers.extracted.close();
    await legacy.drop();
    await extracted.drop();
  }
}

async function makeDatabase(
  dialect: Dialect,
  side: SideName,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  if (dialect === 'sqlite') return makeFile(shopSchema[side]);
  const database = await temporaryPostgresDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  // What the extracted side lets happen breaks it, and PostgreSQL asks the applier, too.
  await client.query(postgresShopSchema[side].replace('CHECK ("RSV" <= "QTY")', ''));
  await client.end();
  return database;
}

function makeFile(schema: string): { readonly url: string; drop(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'fig-owners-'));
  const database = new Database(join(folder, 'side.db'));
  database.pragma('journal_mode = WAL');
  database.exec(schema);
  database.close();
  return {
    url: `file:${join(folder, 'side.db')}`,
    drop: async () => rmSync(folder, { recursive: true }),
  };
}
