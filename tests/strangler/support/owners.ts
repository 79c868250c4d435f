import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Dialect } from '../../../chassis/index.ts';
import { temporaryPostgresDatabase } from '../../support/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { shopBusiness } from './business.ts';
import type { Business } from './business.ts';
import { openWriter } from './writers.ts';
import type { Writer } from './writers.ts';

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

/** Runs `work` with two fresh databases, of the shop unless told otherwise, and who writes to them. */
export async function withOwners<T>(
  pairing: Pairing,
  work: (owners: Owners) => Promise<T>,
  business: Business = shopBusiness,
): Promise<T> {
  return withDatabases(pairing, business.schemas, async (urls) => {
    const writers = {
      legacy: await openWriter(urls.legacy, 'legacy', business),
      extracted: await openWriter(urls.extracted, 'extracted', business),
    };
    try {
      return await work({ urls, writers });
    } finally {
      await writers.legacy.close();
      await writers.extracted.close();
    }
  });
}

/** Runs `work` with two fresh databases, and removes them. */
export async function withDatabases<T>(
  pairing: Pairing,
  schemas: Business['schemas'],
  work: (urls: Owners['urls']) => Promise<T>,
): Promise<T> {
  const [legacy, extracted] = [
    await makeDatabase(pairing.legacy, schemas[pairing.legacy].legacy),
    await makeDatabase(pairing.extracted, schemas[pairing.extracted].extracted),
  ];
  try {
    return await work({ legacy: legacy.url, extracted: extracted.url });
  } finally {
    await legacy.drop();
    await extracted.drop();
  }
}

async function makeDatabase(
  dialect: Dialect,
  schema: string,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  if (dialect === 'sqlite') return makeFile(schema);
  const database = await temporaryPostgresDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(schema);
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
