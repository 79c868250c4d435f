import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PostgresConnection } from '../dialects/postgres/connection.ts';
import { postgres, PostgresLedger } from '../dialects/postgres/ledger.ts';
import { SqliteConnection } from '../dialects/sqlite/connection.ts';
import { sqlite, SqliteLedger } from '../dialects/sqlite/ledger.ts';
import { dialects, withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect as Name, Session } from '../../tests/strangler/support/dialects.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Ledger } from './index.ts';

interface Stage {
  readonly ledger: Ledger;
  /** A person at a prompt of the same database. */
  readonly legacy: Session;
}

function withLedger(dialect: Name, work: (stage: Stage) => Promise<void>): Promise<void> {
  return withSidesOf(dialect, async ({ urls, legacy }) => {
    const connection =
      dialect === 'sqlite'
        ? new SqliteConnection(urls.legacy)
        : new PostgresConnection(urls.legacy);
    const ledger =
      connection instanceof SqliteConnection
        ? new SqliteLedger(connection)
        : new PostgresLedger(connection);
    try {
      await legacy.run('CREATE TABLE notes (id TEXT PRIMARY KEY, at BIGINT, yes BOOLEAN)');
      await work({ ledger, legacy });
    } finally {
      await connection.close();
    }
  });
}

describe.each(dialects)('a ledger on %s', (dialect) => {
  it('takes values of each kind, by places that may be named several times', () =>
    withLedger(dialect, async ({ ledger }) => {
      const at = Number.MAX_SAFE_INTEGER;
      const read = await ledger.transaction(async (tx) => {
        const insert = 'INSERT INTO notes (id, at, yes) VALUES ($1, $2, $3)';
        expect(await tx.run(insert, ['a', at, true])).toBe(1);
        expect(await tx.run(insert, ['b', null, false])).toBe(1);
        return tx.all<{ yes: boolean | number }>(
          'SELECT id, at, yes FROM notes WHERE id = $1 OR (id <> $1 AND at IS NULL) ORDER BY id',
          ['a'],
        );
      });
      expect(read.map(({ yes, ...rest }) => ({ ...rest, yes: Boolean(yes) }))).toEqual([
        { id: 'a', at, yes: true },
        { id: 'b', at: null, yes: false },
      ]);
      expect(await ledger.reads.get('SELECT id FROM notes WHERE id = $1', ['c'])).toBeUndefined();
    }));

  it('knows its words', () =>
    withLedger(dialect, async ({ ledger }) => {
      const { dialect: words, reads } = ledger;
      const { elements, greatest, inBytes, hasTable, name } = words;
      const found = await reads.get<{ now: number; most: number }>(
        `SELECT ${words.now} AS now, ${greatest}(2, 10) AS most`,
      );
      expect(Math.abs((found?.now ?? 0) - Date.now())).toBeLessThan(5_000);
      expect(found?.most).toBe(10);
      expect(
        await reads.all(
          `SELECT value AS ${name('x "y"')} FROM ${elements('$1')} ORDER BY value ${inBytes}`,
          [['b', 'a"', 'B', 'é']],
        ),
      ).toEqual(['B', 'a"', 'b', 'é'].map((value) => ({ 'x "y"': value })));
      expect(await reads.get(hasTable, ['notes'])).toBeDefined();
      expect(await reads.get(hasTable, ['Notes'])).toBeUndefined();
      expect(words.unstored(words.stored('é\u{1F600}\0'))).toBe('é\u{1F600}\0');
    }));

  it('keeps all of a transaction, or nothing', () =>
    withLedger(dialect, async ({ ledger, legacy }) => {
      const insert = `INSERT INTO notes (id) VALUES ($1)`;
      const failed = ledger.transaction(async (tx) => {
        await tx.run(insert, ['a']);
        await tx.run(insert, ['a']);
      });
      await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/unique/i) });
      await ledger.movingFences('shop', (tx) => tx.run(insert, ['b']));
      await ledger.transaction((tx) => tx.run(insert, ['c']), { durable: false });
      expect(await legacy.rows('SELECT id FROM notes ORDER BY id')).toEqual([
        { id: 'b' },
        { id: 'c' },
      ]);
    }));
});

describe('a ledger on SQLite', () => {
  it('keeps the write lock for its own statements only', () =>
    withLedger('sqlite', async ({ ledger }) => {
      const turns: string[] = [];
      await ledger.transaction(async (tx) => {
        setImmediate(() => turns.push('another'));
        for (let count = 0; count < 100; count += 1) {
          await tx.run('INSERT INTO notes (id) VALUES ($1)', [`${count}`]);
        }
        turns.push('done');
      });
      expect(turns).toEqual(['done']);
    }));

  it('has the writers of its process wait for each other, and takes none for a stranger', () =>
    withSides(async ({ urls, legacy }) => {
      legacy.exec('CREATE TABLE notes (id TEXT PRIMARY KEY)');
      const connections = [new SqliteConnection(urls.legacy), new SqliteConnection(urls.legacy)];
      const write = (connection: SqliteConnection, id: string): Promise<void> =>
        new SqliteLedger(connection).transaction(async (tx) => {
          await tx.run('INSERT INTO notes (id) VALUES ($1)', [id]);
          await tx.run('INSERT INTO notes (id) VALUES ($1)', [`${id}, again`]);
        });
      for (let count = 0; count < 10; count += 1) {
        await Promise.all(connections.map((one, index) => write(one, `${count} of ${index}`)));
      }
      expect(connections.map(({ crowded }) => crowded)).toEqual([false, false]);
      for (const connection of connections) connection.close();
    }));
});

describe('the page on dialects', () => {
  const page = readFileSync('docs/architecture/dialects.md', 'utf8');
  const [, section = ''] = page.split('## The words of the ledger');
  const words = Array.from(section.matchAll(/^\| `(\w+)`/gm), ([, word = '']) => word);

  it.each(Object.entries({ sqlite, postgres }))('names the words of %s', (_, dialect) => {
    expect(words.sort()).toEqual(Object.keys(dialect).sort());
  });
});
