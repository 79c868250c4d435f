import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { Prompt } from '../../../tests/strangler/support/sides.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { SqliteConnection } from './connection.ts';
import { install, uninstall } from './install.ts';

function schemaOf(prompt: Prompt): unknown[] {
  return prompt.prepare('SELECT * FROM sqlite_schema').all();
}

function sqlOf(rows: unknown[]): string[] {
  return rows.map((row) => (row as { sql: string }).sql).sort();
}

function atPrompt(prompt: Prompt, sql: string): string {
  const { stdout, stderr } = spawnSync('sqlite3', [prompt.name, sql], { encoding: 'utf8' });
  return stdout + stderr;
}

interface FeedRow {
  readonly op: string;
  readonly key: string;
  readonly image: string | null;
  readonly epoch: number;
}

function feedOf(prompt: Prompt): string[] {
  const rows = prompt
    .prepare(
      `SELECT op, key, image, epoch FROM fig_feed_shop WHERE op <> 'heartbeat'
              ORDER BY position`,
    )
    .all() as FeedRow[];
  return rows.map(({ op, key, image }) => [op, key, image].filter((part) => part).join(' '));
}

async function withInstalled(work: (legacy: Prompt, extracted: Prompt) => void): Promise<void> {
  await withSides(async ({ urls, legacy, extracted }) => {
    const connections = [
      new SqliteConnection(urls.legacy),
      new SqliteConnection(urls.extracted),
    ] as const;
    await install(connections[0], shop, 'legacy');
    await install(connections[1], shop, 'extracted');
    work(legacy, extracted);
    for (const connection of connections) connection.close();
  });
}

describe('installing', () => {
  it('gives up, having changed nothing, while somebody else keeps the database locked', () =>
    withSides(async ({ urls, legacy }) => {
      const before = schemaOf(legacy);
      const connection = new SqliteConnection(urls.legacy);
      legacy.exec('BEGIN IMMEDIATE');
      await expect(install(connection, shop, 'legacy', 20)).rejects.toThrow(
        /has kept .* locked for 0.02 s; nothing was changed: end its transaction/,
      );
      legacy.exec('ROLLBACK');
      expect(schemaOf(legacy)).toEqual(before);
      await install(connection, shop, 'legacy', 20);
      connection.close();
    }));

  it('changes nothing the second time, and uninstalling leaves no trace', async () => {
    await withSides(async ({ urls, legacy }) => {
      const before = schemaOf(legacy);
      const connection = new SqliteConnection(urls.legacy);
      await install(connection, shop, 'legacy');
      const installed = schemaOf(legacy);
      await install(connection, shop, 'legacy');
      expect(schemaOf(legacy)).toEqual(installed);
      // As an earlier version has left it.
      legacy.exec('CREATE TABLE fig_opening (capability TEXT NOT NULL)');
      await uninstall(connection, 'shop');
      await uninstall(connection, 'shop');
      expect(schemaOf(legacy)).toEqual(before);
      expect(legacy.pragma('integrity_check', { simple: true })).toBe('ok');
      connection.close();
    });
  });

  it('replaces a trigger whose text is not what the mapping says', async () => {
    await withSides(async ({ urls, legacy }) => {
      const connection = new SqliteConnection(urls.legacy);
      await install(connection, shop, 'legacy');
      const installed = schemaOf(legacy);
      const trigger = 'fig_shop_capture_insert_STOCK';
      legacy.exec(`DROP TRIGGER ${trigger};
        CREATE TRIGGER ${trigger} AFTER INSERT ON STOCK BEGIN SELECT 1; END;
        CREATE TRIGGER fig_shop_capture_insert_GONE AFTER INSERT ON PAY BEGIN SELECT 1; END;`);
      await install(connection, shop, 'legacy');
      expect(sqlOf(schemaOf(legacy))).toEqual(sqlOf(installed));
      connection.close();
    });
  });

  it('refuses a schema that the mapping does not fit, naming each reason', async () => {
    await withSides(async ({ urls, extracted }) => {
      extracted.exec(`DROP INDEX entries_by_entry; DROP TABLE holds;
        ALTER TABLE levels ADD COLUMN colour TEXT; ALTER TABLE lines DROP COLUMN data;
        CREATE TRIGGER audit AFTER INSERT ON payments BEGIN SELECT 1; END;`);
      const connection = new SqliteConnection(urls.extracted);
      const error: unknown = await install(connection, shop, 'extracted').catch((e: unknown) => e);
      expect(
        String(error)
          .match(/^ {2}\w+/gm)
          ?.map((code) => code.trim()),
      ).toEqual([
        'not_carried',
        'no_table',
        'no_column',
        'foreign_trigger',
        'no_index',
        'no_index',
      ]);
      connection.close();
    });
  });
});

describe('capture', () => {
  it('records every change with its image, in order, and a changed key as delete and upsert', async () => {
    await withInstalled((legacy) => {
      legacy.exec(`INSERT INTO STOCK VALUES ('a"é😀', 1, 0, NULL);
        UPDATE STOCK SET QTY = 2; UPDATE STOCK SET SKU = 'b'; DELETE FROM STOCK;`);
      expect(feedOf(legacy)).toEqual([
        'upsert {"SKU":"a\\"é😀"} {"SKU":"a\\"é😀","QTY":1,"NOTE":null,"RSV":0}',
        'upsert {"SKU":"a\\"é😀"} {"SKU":"a\\"é😀","QTY":2,"NOTE":null,"RSV":0}',
        'delete {"SKU":"a\\"é😀"}',
        'upsert {"SKU":"b"} {"SKU":"b","QTY":2,"NOTE":null,"RSV":0}',
        'delete {"SKU":"b"}',
      ]);
    });
  });

  it('sees the row that REPLACE or UPDATE OR REPLACE pushes out by another unique column', async () => {
    await withInstalled((legacy) => {
      legacy.exec(`INSERT INTO LINES VALUES ('a', 1, 'x', NULL), ('b', 1, 'y', NULL);
        DELETE FROM fig_feed_shop WHERE position < 3;
        INSERT OR IGNORE INTO LINES VALUES ('z', 1, 'x', NULL);
        REPLACE INTO LINES VALUES ('c', 1, 'x', 1.5);
        UPDATE OR REPLACE LINES SET SLUG = 'y' WHERE DOC = 'c';
        INSERT INTO LINES VALUES ('d', 2, 'y', 7)
          ON CONFLICT (SLUG) DO UPDATE SET DATA = x'00ff';`);
      expect(feedOf(legacy).slice(1)).toEqual([
        'delete {"DOC":"a","NO":1}',
        'upsert {"DOC":"c","NO":1} {"DOC":"c","NO":1,"SLUG":"x","DATA":{"$real":"1.5","free":true}}',
        'delete {"DOC":"b","NO":1}',
        'upsert {"DOC":"c","NO":1} {"DOC":"c","NO":1,"SLUG":"y","DATA":{"$real":"1.5","free":true}}',
        'upsert {"DOC":"c","NO":1} {"DOC":"c","NO":1,"SLUG":"y","DATA":{"$blob":"00FF"}}',
      ]);
    });
  });

  it('records nothing of what is rolled back, and keeps its newest position for good', async () => {
    await withInstalled((legacy) => {
      legacy.exec(`BEGIN; INSERT INTO STOCK VALUES ('a', 1, 0, NULL); ROLLBACK`);
      expect(feedOf(legacy)).toEqual([]);
      expect(() => legacy.exec('DELETE FROM fig_feed_shop')).toThrow('newest row');
    });
  });
});

describe('fences', () => {
  const FENCED = 'FENCED: shop is not owned by this database; see fig status';

  it('refuse every kind of write to the side that is not the owner', async () => {
    await withInstalled((legacy, extracted) => {
      const rows = `INSERT INTO levels VALUES ('a', 1, NULL)`;
      for (const verb of ['INSERT', 'REPLACE', 'INSERT OR IGNORE', 'INSERT OR REPLACE']) {
        expect(() => extracted.exec(rows.replace('INSERT', verb))).toThrow(FENCED);
      }
      legacy.exec(`INSERT INTO STOCK VALUES ('a', 1, 0, NULL);
        UPDATE fig_fence SET state = 'ceded', epoch = 2`);
      for (const sql of [
        'UPDATE STOCK SET QTY = 5',
        'UPDATE OR IGNORE STOCK SET QTY = 5',
        'DELETE FROM STOCK',
        `INSERT INTO STOCK VALUES ('a', 2, 0, NULL) ON CONFLICT DO UPDATE SET QTY = 2`,
      ]) {
        expect(() => legacy.exec(sql)).toThrow(FENCED);
      }
      expect(legacy.prepare('SELECT QTY FROM STOCK').pluck().all()).toEqual([1]);
    });
  });

  it("hold, and captures work, for somebody at Debian's sqlite3 prompt", async () => {
    const version = spawnSync('sqlite3', ['--version']);
    await withInstalled((legacy, extracted) => {
      // Where there is no sqlite3 command, the driver's own prompt has shown the same above.
      if (version.error) return;
      expect(atPrompt(extracted, `INSERT INTO levels VALUES ('a', 1, NULL)`)).toContain(FENCED);
      expect(
        atPrompt(legacy, `REPLACE INTO LINES VALUES ('a', 1, 'x', 0.1), ('b', 2, 'x', NULL)`),
      ).toBe('');
      expect(feedOf(legacy)).toEqual([
        'upsert {"DOC":"a","NO":1} {"DOC":"a","NO":1,"SLUG":"x","DATA":{"$real":"0.10000000000000001","free":true}}',
        'delete {"DOC":"a","NO":1}',
        'upsert {"DOC":"b","NO":2} {"DOC":"b","NO":2,"SLUG":"x","DATA":null}',
      ]);
    });
  });
});
