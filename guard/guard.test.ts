import { describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import knexOf from 'knex';
import { join } from 'node:path';
import { Pool } from 'pg';
import { withScratchFence } from '../tests/strangler/support/scratch.ts';
import { temporaryPostgresDatabase, withTempDir } from '../tests/support/index.ts';
import {
  betterSqlite3Fences,
  betterSqlite3Guard,
  FencedError,
  knexFences,
  knexGuard,
  pgFences,
  pgGuard,
} from './index.ts';
import type { NamedFence } from './index.ts';

const CREATE = 'CREATE TABLE notes (id TEXT PRIMARY KEY)';
const INSERT = `INSERT INTO notes VALUES ('n')`;
const CAPABILITY = { capability: 'notes', whenAbsent: 'closed' } as const;

/** A service's writes by one driver. */
interface Writer {
  write(key?: string): Promise<unknown>;
  /** Writes without an end of its own: `meanwhile` runs inside its transaction. */
  writeWhile(meanwhile: () => Promise<void>): Promise<unknown>;
  ids(): Promise<readonly unknown[]>;
  fences(): Promise<readonly NamedFence[]>;
  close(): Promise<void>;
}

async function withUrl(
  dialect: 'sqlite' | 'postgres',
  use: (url: string) => Promise<void>,
): Promise<void> {
  if (dialect === 'sqlite') return withTempDir((folder) => use(`file:${join(folder, 'n.db')}`));
  const { url, drop } = await temporaryPostgresDatabase();
  try {
    await use(url);
  } finally {
    await drop();
  }
}

function knexWriter(client: 'pg' | 'better-sqlite3', connection: object | string): Writer {
  const knex = knexOf({ client, connection, useNullAsDefault: client !== 'pg' });
  const guard = knexGuard(CAPABILITY);
  return {
    write: (key) => guard.transaction(knex, (trx) => trx.raw(INSERT), key),
    writeWhile: (meanwhile) =>
      guard.transaction(knex, async (trx) => {
        await meanwhile();
        await trx.raw(INSERT);
      }),
    ids: () => knex('notes').pluck('id'),
    fences: () => knexFences(knex),
    close: () => knex.destroy(),
  };
}

function pgWriter(url: string): Writer {
  const pool = new Pool({ connectionString: url });
  const guard = pgGuard(CAPABILITY);
  return {
    write: (key) => guard.transaction(pool, (client) => client.query(INSERT), key),
    writeWhile: (meanwhile) =>
      guard.transaction(pool, async (client) => {
        await meanwhile();
        await client.query(INSERT);
      }),
    ids: async () =>
      (await pool.query<{ id: string }>('SELECT id FROM notes')).rows.map(({ id }) => id),
    fences: () => pgFences(pool),
    close: () => pool.end(),
  };
}

function sqliteWriter(file: string): Writer {
  const database = new RawDatabase(file);
  const guard = betterSqlite3Guard(CAPABILITY);
  return {
    write: async (key) => guard.transaction(database, () => database.exec(INSERT), key),
    writeWhile: async () => {
      throw new Error('a synchronous transaction lets nothing else run');
    },
    ids: async () => database.prepare('SELECT id FROM notes').pluck().all(),
    fences: async () => betterSqlite3Fences(database),
    close: async () => void database.close(),
  };
}

const fileOf = (url: string): string => url.slice('file:'.length);
const WRITERS = [
  [
    'knex on SQLite',
    'sqlite',
    (url: string) => knexWriter('better-sqlite3', { filename: fileOf(url) }),
  ],
  ['knex on PostgreSQL', 'postgres', (url: string) => knexWriter('pg', url)],
  ['pg', 'postgres', pgWriter],
  ['better-sqlite3', 'sqlite', (url: string) => sqliteWriter(fileOf(url))],
] as const;

async function refusal(writing: Promise<unknown>): Promise<FencedError> {
  const error = await writing.then(
    () => 'nothing was thrown',
    (reason: unknown) => reason,
  );
  if (error instanceof FencedError) return error;
  throw new Error(`not refused by a fence: ${String(error)}`);
}

describe.each(WRITERS)('writes by %s', (_name, dialect, writerOn) => {
  const withWriter = (use: (writer: Writer, url: string) => Promise<void>): Promise<void> =>
    withUrl(dialect, async (url) => {
      const setUp = knexOf(
        dialect === 'sqlite'
          ? {
              client: 'better-sqlite3',
              connection: { filename: fileOf(url) },
              useNullAsDefault: true,
            }
          : { client: 'pg', connection: url },
      );
      await setUp.raw(CREATE);
      await setUp.destroy();
      const writer = writerOn(url);
      try {
        await use(writer, url);
      } finally {
        await writer.close();
      }
    });

  it('go by the fence, that of the key before that of the rest', () =>
    withWriter(async (writer, url) => {
      expect(await refusal(writer.write())).toMatchObject({ state: 'closed', epoch: 0 });
      expect(await writer.fences()).toEqual([]);
      await withScratchFence(url, 'notes', async (scratch) => {
        await scratch.set('notes', [
          { key: '*', state: 'ceded', epoch: 3 },
          { key: 'A', state: 'open', epoch: 4 },
        ]);
        expect(await refusal(writer.write())).toMatchObject({
          key: undefined,
          state: 'ceded',
          epoch: 3,
        });
        expect(await refusal(writer.write('B'))).toMatchObject({ key: undefined, epoch: 3 });
        expect(await writer.ids()).toEqual([]);
        await writer.write('A');
        expect(await writer.ids()).toEqual(['n']);
        await scratch.set('notes', [
          { key: '*', state: 'open', epoch: 4 },
          { key: 'A', state: 'closed', epoch: 5 },
        ]);
        expect(await refusal(writer.write('A'))).toMatchObject({
          key: 'A',
          state: 'closed',
          epoch: 5,
        });
        expect(await writer.fences()).toEqual([
          { capability: 'notes', key: '*', state: 'open', epoch: 4 },
          { capability: 'notes', key: 'A', state: 'closed', epoch: 5 },
        ]);
      });
    }));

  if (dialect === 'postgres') {
    it('keep the fence from closing until they are committed', () =>
      withWriter((writer, url) =>
        withScratchFence(url, 'notes', async (scratch) => {
          let closed = false;
          let closing: Promise<void> | undefined;
          await writer.writeWhile(async () => {
            closing = scratch
              .set('notes', [{ key: '*', state: 'closed', epoch: 2 }])
              .then(() => void (closed = true));
            const pool = new Pool({ connectionString: url });
            const waiting = `SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'`;
            while ((await pool.query(waiting)).rows.length === 0) {
              if (closed) throw new Error('the fence closed under a write');
            }
            await pool.end();
          });
          await closing;
          expect(await writer.ids()).toEqual(['n']);
          expect(await refusal(writer.write())).toMatchObject({ state: 'closed', epoch: 2 });
        }),
      ));
  }
});
