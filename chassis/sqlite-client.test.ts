import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';

function toldOf(outcome: PromiseSettledResult<unknown>): string {
  return outcome.status === 'fulfilled' ? 'done' : String(outcome.reason);
}

describe('transactions that wait for each other', () => {
  let directory: string;
  let database: Database;
  let watcher: RawDatabase.Database;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-sqlite-client-'));
    database = await openDatabase(`file:${join(directory, 'test.db')}`);
    await database.transaction((trx) => trx.raw('CREATE TABLE numbers (n INTEGER UNIQUE)'));
    watcher = new RawDatabase(join(directory, 'test.db'), { readonly: true });
  });
  afterEach(async () => {
    watcher.close();
    await database.close();
    await rm(directory, { recursive: true });
  });

  const add = (n: number): Promise<unknown> =>
    database.transaction((trx) => trx('numbers').insert({ n }));
  const seen = (): number[] =>
    watcher.prepare('SELECT n FROM numbers ORDER BY n').pluck().all() as number[];

  it('see what those before them did', async () => {
    const counts: unknown[] = [];
    const count = (): Promise<void> =>
      database.transaction(async (trx) => {
        const [{ found }] = (await trx('numbers').count({ found: '*' })) as [{ found: number }];
        counts.push(found);
      });
    await Promise.all([add(1), add(2), count(), add(3), count()]);
    expect(counts).toEqual([2, 3]);
    expect(seen()).toEqual([1, 2, 3]);
  });

  it('fail alone, with their own error, and leave nothing behind', async () => {
    const failing = database.transaction(async (trx) => {
      await trx('numbers').insert({ n: 50 });
      throw new Error('changed my mind');
    });
    const outcomes = await Promise.allSettled([add(1), add(2), failing, add(2), add(3)]);
    const told = outcomes.map(toldOf);
    expect(told.slice(0, 2)).toEqual(['done', 'done']);
    expect(told[2]).toMatch('changed my mind');
    expect(told[3]).toMatch('UNIQUE');
    expect(told[4]).toBe('done');
    expect(seen()).toEqual([1, 2, 3]);
  });

  it('fail, and nobody else, when SQLite has rolled back by itself', async () => {
    const outcomes = await Promise.allSettled([
      add(1),
      database.transaction(async (trx) => {
        await trx('numbers').insert({ n: 2 });
        // What SQLite does when the disk is full.
        await trx.raw('ROLLBACK');
        throw new Error('database or disk is full');
      }),
      add(3),
    ]);
    expect(outcomes.map(toldOf)).toEqual(['done', expect.stringContaining('is full'), 'done']);
    expect(seen()).toEqual([1, 3]);
  });

  it('run on behalf of who asked for them', async () => {
    const storage = new AsyncLocalStorage<string>();
    const whose: unknown[] = [];
    const asked = ['anna', 'ben', 'cleo'].map((name) =>
      storage.run(name, () =>
        database.transaction(async (trx) => {
          await trx('numbers').select();
          whose.push(storage.getStore());
        }),
      ),
    );
    await Promise.all(asked);
    expect(whose).toEqual(['anna', 'ben', 'cleo']);
  });

  it('are on the disk when they are committed, also as the driver leaves a file in WAL mode', async () => {
    const modes = await database.transaction((trx) =>
      Promise.all([trx.raw('PRAGMA synchronous'), trx.raw('PRAGMA journal_mode')]),
    );
    expect(modes).toEqual([[{ synchronous: 2 }], [{ journal_mode: 'wal' }]]);
  });
});
