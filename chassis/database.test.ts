import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import RawDatabase from 'better-sqlite3';
import { migrate, openDatabase, rollback } from './database.ts';
import type { Database, Migration } from './database.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fig-database-'));
  database = openDatabase(`file:${join(directory, 'test.db')}`);
  await database.transaction((trx) => trx.raw('CREATE TABLE numbers (n INTEGER)'));
});
afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true });
});

function count(): Promise<number> {
  return database.read('numbers').then((rows: unknown[]) => rows.length);
}

function has(table: string): Promise<boolean> {
  return database.read.schema.hasTable(table);
}

describe('a write transaction', () => {
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

describe('migrations', () => {
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
  it('run up, again, from many processes at once, and down', async () => {
    const others = Array.from({ length: 8 }, () => openDatabase(database.url));
    await Promise.all(others.map((other) => migrate(other, migrations)));
    await migrate(database, migrations);
    expect([await has('first'), await has('second')]).toEqual([true, true]);
    await rollback(database, migrations);
    expect([await has('first'), await has('second')]).toEqual([true, false]);
    await migrate(database, migrations);
    expect(await has('second')).toBe(true);
    await Promise.all(others.map((other) => other.close()));
  });

  it('leave the schema as it was when one fails', async () => {
    const broken: Migration = {
      ...migrations[1],
      name: '003',
      up: () => Promise.reject(new Error('no')),
    } as Migration;
    await expect(migrate(database, [...migrations, broken])).rejects.toThrow('no');
    expect(await has('first')).toBe(false);
  });
});
