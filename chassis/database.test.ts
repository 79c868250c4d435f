import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { dialects, temporaryDatabase } from '../tests/support/index.ts';
import { migrate, openDatabase, rollback } from './database.ts';
import type { Database, Knex, Migration, Transaction } from './database.ts';

describe('a write transaction on SQLite', () => {
  let directory: string;
  let database: Database;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fig-database-'));
    database = await openDatabase(`file:${join(directory, 'test.db')}`);
    await database.transaction((trx) => trx.raw('CREATE TABLE numbers (n INTEGER)'));
  });
  afterEach(async () => {
    await database.close();
    await rm(directory, { recursive: true });
  });

  function count(): Promise<number> {
    return database.read('numbers').then((rows: unknown[]) => rows.length);
  }

  it('waits for another process that holds the lock, without stopping this one', async () => {
    const other = new RawDatabase(join(directory, 'test.db'));
    other.exec('BEGIN IMMEDIATE; INSERT INTO numbers VALUES (1)');
    const writing = database.transaction((trx) => trx('numbers').insert({ n: 2 }));
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 1);
    while (ticks < 10) await delay(1);
    expect(await count()).toBe(0);
    other.exec('COMMIT');
    other.close();
    await writing;
    clearInterval(ticking);
    expect(await count()).toBe(2);
  });

  it('holds the lock from its start, so that what it read first is still true when it writes', async () => {
    const other = new RawDatabase(join(directory, 'test.db'), { timeout: 0 });
    await database.transaction(async (trx) => {
      await trx('numbers').select();
      expect(() => other.exec('INSERT INTO numbers VALUES (1)')).toThrow(/locked/);
      await trx('numbers').insert({ n: 2 });
    });
    other.close();
    expect(await count()).toBe(1);
  });

  it('leaves nothing behind when its work throws', async () => {
    const failing = database.transaction(async (trx) => {
      await trx('numbers').insert({ n: 1 });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await count()).toBe(0);
    await database.transaction((trx) => trx('numbers').insert({ n: 2 }));
    expect(await count()).toBe(1);
  });
});

describe.each(dialects)('on %s', (dialect) => {
  let database: Database;

  beforeEach(async () => {
    database = await temporaryDatabase([], dialect);
    await database.transaction((trx) => trx.raw('CREATE TABLE numbers (n INTEGER)'));
  });
  afterEach(() => database.close());

  describe('what a transaction read first is still true when it writes,', () => {
    const addOne = async (trx: Transaction, query: Knex.QueryBuilder): Promise<void> => {
      const [row] = (await query) as { n: number }[];
      await trx('numbers').update({ n: (row?.n ?? 0) + 1 });
    };

    it.each([
      [
        'of the rows that it holds',
        ({ transaction }: Database) =>
          transaction((trx) => addOne(trx, trx('numbers').forUpdate().select())),
      ],
      [
        'of all rows where it runs alone',
        ({ alone }: Database) => alone((trx) => addOne(trx, trx('numbers').select())),
      ],
    ])('%s', async (_which, add) => {
      const other = await openDatabase(database.url);
      await database.transaction((trx) => trx('numbers').insert({ n: 0 }));
      await Promise.all(Array.from({ length: 40 }, (_, i) => add(i % 2 ? database : other)));
      expect(await database.read('numbers').select()).toEqual([{ n: 40 }]);
      await other.close();
    });

    it('and a row that it found missing is still missing: otherwise it runs again, and finds it', async () => {
      await database.transaction((trx) => trx.raw('CREATE UNIQUE INDEX once ON numbers (n)'));
      const made = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          database.transaction(async (trx) => {
            const n = index % 4;
            if ((await trx('numbers').where({ n })).length > 0) return 0;
            await trx('numbers').insert({ n });
            return 1;
          }),
        ),
      );
      expect(made.filter((one) => one === 1)).toHaveLength(4);
    });

    it('and two that hold the same rows in different orders both end', async () => {
      await database.transaction((trx) => trx('numbers').insert([{ n: 1 }, { n: 2 }]));
      const holdBoth = (rows: readonly number[]) =>
        database.transaction(async (trx) => {
          for (const n of rows) await trx('numbers').where({ n }).forUpdate().select();
        });
      await Promise.all(
        Array.from({ length: 4 }, (_, index) => holdBoth(index % 2 ? [1, 2] : [2, 1])),
      );
    });
  });

  it('large counts are numbers, and a transaction that throws leaves nothing behind', async () => {
    const failing = database.transaction(async (trx) => {
      await trx.raw('ALTER TABLE numbers ADD COLUMN large BIGINT');
      await trx('numbers').insert({ n: 1, large: 2 ** 53 - 1 });
      expect(await trx('numbers').select()).toEqual([{ n: 1, large: 2 ** 53 - 1 }]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await database.read('numbers').select()).toEqual([]);
    expect(await database.read('numbers').count({ count: '*' })).toEqual([{ count: 0 }]);
  });

  const has = (table: string): Promise<boolean> => database.read.schema.hasTable(table);

  const migrations: Migration[] = [
    {
      name: '001-first',
      up: (knex) => knex.schema.createTable('first', (table) => table.integer('a')),
      down: (knex) => knex.schema.dropTable('first'),
    },
    {
      name: '002-second',
      up: (knex) => knex.schema.createTable('second', (table) => table.integer('b')),
      down: (knex) => knex.schema.dropTable('second'),
    },
  ];
  it('migrations run up, again, from many processes at once, and down', async () => {
    const others = await Promise.all(Array.from({ length: 19 }, () => openDatabase(database.url)));
    await Promise.all(others.map((other) => migrate(other, migrations)));
    await migrate(database, migrations);
    expect([await has('first'), await has('second')]).toEqual([true, true]);
    await rollback(database, migrations);
    expect([await has('first'), await has('second')]).toEqual([true, false]);
    await migrate(database, migrations);
    expect(await has('second')).toBe(true);
    await Promise.all(others.map((other) => other.close()));
  });

  it('migrations leave the schema as it was when one fails', async () => {
    const broken: Migration = {
      ...migrations[1],
      name: '003',
      up: () => Promise.reject(new Error('no')),
    } as Migration;
    await expect(migrate(database, [...migrations, broken])).rejects.toThrow('no');
    expect(await has('first')).toBe(false);
  });
});
