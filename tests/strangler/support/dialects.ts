import Database from 'better-sqlite3';
import { Client } from 'pg';
import type { QueryResult } from 'pg';
import { sqliteFile } from '../../../chassis/index.ts';
import { temporaryPostgresDatabase, withTempDir } from '../../support/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { inOwnTurn } from './own-turn.ts';
import { postgresShopSchema } from './postgres-shop.ts';
import { shopSchema } from './shop.ts';
import { withSides } from './sides.ts';
import type { Sides } from './sides.ts';

/** What one suite of tests runs on. */
export const dialects = ['sqlite', 'postgres'] as const;
export type Dialect = (typeof dialects)[number];

/** A hand-typed session on one side's database. Names with capitals are quoted, for both dialects. */
export interface Session {
  run(sql: string): Promise<void>;
  rows<T>(sql: string): Promise<T[]>;
}

export interface DialectSides {
  readonly urls: Readonly<Record<SideName, string>>;
  /** For what else a test keeps. */
  readonly folder: string;
  readonly legacy: Session;
  readonly extracted: Session;
}

type Schemas = Readonly<Record<SideName, string>>;

/** Runs `work` with two fresh databases, of the shop's schema unless told otherwise. */
export function withSidesOf<T>(
  dialect: Dialect,
  work: (sides: DialectSides) => Promise<T>,
  schemas: Schemas = dialect === 'sqlite' ? shopSchema : postgresShopSchema,
): Promise<T> {
  return dialect === 'sqlite' ? onSqlite(work, schemas) : onPostgres(work, schemas);
}

function onSqlite<T>(work: (sides: DialectSides) => Promise<T>, schemas: Schemas): Promise<T> {
  return withSides(async ({ urls, folder }) => {
    const prompts = { legacy: prompt(urls.legacy), extracted: prompt(urls.extracted) };
    try {
      return await work({
        urls,
        folder,
        legacy: sqliteSession(prompts.legacy),
        extracted: sqliteSession(prompts.extracted),
      });
    } finally {
      for (const each of Object.values(prompts)) each.close();
    }
  }, schemas);
}

/** Two SQLite databases as the sessions that both dialects have. */
export function sessionsOf({ urls, folder, legacy, extracted }: Sides): DialectSides {
  return {
    urls,
    folder,
    legacy: sqliteSession(legacy),
    extracted: sqliteSession(extracted),
  };
}

function prompt(url: string): Database.Database {
  return new Database(sqliteFile(url), { timeout: 5_000 });
}

function sqliteSession(database: Database.Database): Session {
  return {
    run: (sql) => inOwnTurn(() => void database.exec(sql)),
    rows: <T>(sql: string) => inOwnTurn(() => database.prepare(sql).all() as T[]),
  };
}

function onPostgres<T>(work: (sides: DialectSides) => Promise<T>, schemas: Schemas): Promise<T> {
  return withTempDir((folder) => inFolder(folder, work, schemas));
}

async function inFolder<T>(
  folder: string,
  work: (sides: DialectSides) => Promise<T>,
  schemas: Schemas,
): Promise<T> {
  const databases = [await temporaryPostgresDatabase(), await temporaryPostgresDatabase()] as const;
  const [legacy, extracted] = databases.map(({ url }) => new Client({ connectionString: url })) as [
    Client,
    Client,
  ];
  try {
    await Promise.all([legacy.connect(), extracted.connect()]);
    await legacy.query(schemas.legacy);
    await extracted.query(schemas.extracted);
    return await work({
      urls: { legacy: databases[0].url, extracted: databases[1].url },
      folder,
      legacy: postgresSession(legacy),
      extracted: postgresSession(extracted),
    });
  } finally {
    await Promise.all([legacy.end(), extracted.end()]);
    for (const database of databases) await database.drop();
  }
}

/** Statements take their turns: a client does one at a time. */
function postgresSession(client: Client): Session {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (sql: string): Promise<QueryResult> => {
    const mine = last.then(() => client.query(sql));
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    run: async (sql) => void (await inTurn(sql)),
    rows: async <T>(sql: string) => (await inTurn(sql)).rows as T[],
  };
}
