import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { eventually } from '../tests/support/index.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { GroupCommit } from './group-commit.ts';
import { WalSync } from './wal-sync.ts';
import { connectSqlite } from './sqlite-client.ts';

function toldOf(outcome: PromiseSettledResult<unknown>): string {
  return outcome.status === 'fulfilled' ? 'done' : String(outcome.reason);
}

describe('transactions that wait for each other', () => {
  let directory: string;
  let database: Database;
  let watcher: RawDatabase.Database;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-group-commit-'));
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

  it('are on the disk when they are told of, and share its turns', async () => {
    const disk = new SlowDisk();
    const log = new WalSync(disk);
    const write = connectSqlite(join(directory, 'test.db'));
    const commits = new GroupCommit(write, log);
    const told: number[] = [];
    const adding = [1, 2, 3, 4, 5].map(async (n) => {
      await commits.run((trx) => trx('numbers').insert({ n }));
      told.push(n);
    });
    // They are committed, one after the other, while the disk is still at work for the first.
    await eventually(() => seen().length === 5);
    expect([disk.turns, told]).toEqual([1, []]);
    disk.done();
    await eventually(() => disk.turns === 2);
    expect(told).toEqual([1]);
    disk.done();
    await Promise.all(adding);
    expect(disk.turns).toBe(2);
    await write.destroy();
  });

  it('are refused once the disk has failed, since nobody knows what it has', async () => {
    const disk = new SlowDisk();
    const log = new WalSync(disk);
    const write = connectSqlite(join(directory, 'test.db'));
    const commits = new GroupCommit(write, log);
    const insert = (n: number): Promise<unknown> =>
      commits.run((trx) => trx('numbers').insert({ n }));
    const first = insert(1);
    await eventually(() => disk.turns === 1);
    disk.fail(new Error('EIO: i/o error, fdatasync'));
    await expect(first).rejects.toThrow('EIO');
    await expect(insert(2)).rejects.toThrow('EIO');
    expect(seen()).not.toContain(2);
    await write.destroy();
  });
});

/** The disk, whose turns take as long as the test says. */
class SlowDisk {
  turns = 0;
  #end: ((failure?: Error) => void) | undefined;

  sync(): Promise<void> {
    this.turns += 1;
    return new Promise((resolve, reject) => {
      this.#end = (failure) => (failure ? reject(failure) : resolve());
    });
  }

  syncNow(): void {
    this.turns += 1;
  }

  async close(): Promise<void> {}

  done(): void {
    this.#end?.();
  }

  fail(failure: Error): void {
    this.#end?.(failure);
  }
}
