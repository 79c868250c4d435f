import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { withPostgres } from '../../../tests/support/index.ts';
import { withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import type { DialectSides } from '../../../tests/strangler/support/dialects.ts';
import { postgresShopSchema } from '../../../tests/strangler/support/postgres-shop.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { PostgresConnection } from './connection.ts';
import { install } from './install.ts';
import { uninstall } from './uninstall.ts';

/** Names of everything of Fig's that a database holds. */
const OURS = `SELECT relname AS name FROM pg_class WHERE relname LIKE 'fig%'
  UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'fig%'
  UNION ALL SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger WHERE tgname LIKE 'fig%'
  ORDER BY name`;

function withLegacy(
  work: (connection: PostgresConnection, sides: DialectSides) => Promise<void>,
): Promise<void> {
  return withSidesOf('postgres', async (sides) => {
    const connection = new PostgresConnection(sides.urls.legacy);
    try {
      await work(connection, sides);
    } finally {
      await connection.close();
    }
  });
}

describe('installing on PostgreSQL', () => {
  it('changes nothing the second time, and uninstalling leaves no trace', () =>
    withPostgres(async (postgres) => {
      const { url } = await postgres.createDatabase();
      const dump = (): string =>
        execFileSync(join(postgres.programs, 'pg_dump'), ['--schema-only', url], {
          encoding: 'utf8',
        }).replaceAll(/^\\(un)?restrict .*$/gm, '');
      const connection = new PostgresConnection(url);
      await connection.query(postgresShopSchema.legacy);
      const before = dump();
      await install(connection, shop, 'legacy');
      const installed = dump();
      expect(installed).not.toBe(before);
      await install(connection, shop, 'legacy');
      expect(dump()).toBe(installed);
      // As an earlier version has left it.
      await connection.query('CREATE TABLE fig_opening (capability TEXT NOT NULL)');
      await uninstall(connection, 'shop');
      await uninstall(connection, 'shop');
      expect(dump()).toBe(before);
      await connection.close();
    }));

  it('puts back a trigger that somebody has replaced, disabled or dropped', () =>
    withLegacy(async (connection, { legacy }) => {
      await install(connection, shop, 'legacy');
      const installed = await legacy.rows(OURS);
      await legacy.run(`
        CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE OR REPLACE TRIGGER fig_shop_fence BEFORE INSERT ON "STOCK"
          FOR EACH STATEMENT EXECUTE FUNCTION nothing();
        ALTER TABLE "PAY" DISABLE TRIGGER fig_shop_fence;
        DROP TRIGGER fig_shop_fence ON "RFND"`);
      await install(connection, shop, 'legacy');
      expect(await legacy.rows(OURS)).toEqual(installed);
      await legacy.run(`UPDATE fig_fence SET state = 'closed'`);
      for (const table of ['STOCK', 'PAY', 'RFND']) {
        await expect(legacy.run(`DELETE FROM "${table}"`)).rejects.toThrow('FENCED');
      }
    }));

  it('refuses a schema that the mapping does not fit, naming each reason', () =>
    withSidesOf('postgres', async ({ urls, extracted }) => {
      await extracted.run(`DROP TABLE holds; ALTER TABLE levels ADD COLUMN colour TEXT;
        ALTER TABLE lines DROP COLUMN data; ALTER TABLE lines DROP CONSTRAINT lines_pkey;
        ALTER TABLE levels DROP COLUMN note;
        ALTER TABLE levels ADD COLUMN note TEXT GENERATED ALWAYS AS ('x') STORED;
        CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER audit AFTER INSERT ON payments EXECUTE FUNCTION audit();
        CREATE TABLE child () INHERITS (entries)`);
      const connection = new PostgresConnection(urls.extracted);
      const error: unknown = await install(connection, shop, 'extracted').catch((e: unknown) => e);
      await connection.close();
      const codes = String(error).match(/^ {2}\w+/gm);
      expect(codes?.map((code) => code.trim())).toEqual([
        'generated',
        'not_carried',
        'no_table',
        'no_column',
        'key_not_unique',
        'foreign_trigger',
        'not_a_table',
      ]);
    }));

  it('gives up on a table that somebody keeps, says who, and has changed nothing', () =>
    withLegacy(async (connection, { urls, legacy }) => {
      const keeper = new Client({ connectionString: urls.legacy, application_name: 'nightly job' });
      await keeper.connect();
      await keeper.query(`BEGIN; INSERT INTO "PAY" VALUES ('p', 1, 'P', now(), now())`);
      // Indexes are made beside writers, but wait for old transactions: let there be none to make.
      await legacy.run(`CREATE INDEX stock_c ON "STOCK" ("SKU" COLLATE "C");
        CREATE INDEX lines_c ON "LINES" ("DOC" COLLATE "C", "NO");
        CREATE INDEX rfnd_c ON "RFND" ("RFND_NO" COLLATE "C")`);
      await keeper.query('COMMIT');
      await legacy.run('CREATE INDEX pay_c ON "PAY" ("PAY_NO" COLLATE "C")');
      await keeper.query(`BEGIN; UPDATE "PAY" SET "STAT" = 'S'`);
      await expect(install(connection, shop, 'legacy')).rejects.toThrow(/of \w+ \(nightly job\)/);
      expect(await legacy.rows(OURS)).toEqual([]);
      await keeper.query('COMMIT');
      await install(connection, shop, 'legacy');
      await keeper.end();
    }));
});
