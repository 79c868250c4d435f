import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually, temporaryPostgresDatabase, withTempDir } from '../../tests/support/index.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { postgresShopSchema } from '../../tests/strangler/support/postgres-shop.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';
import type { SideName } from '../../routing/side.ts';

/** One statement in a session of its own, which outlives no restart. */
async function run<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Makes `copy` what `original` is, whoever is connected to either, as a restored dump does. */
async function copyDatabase(server: string, original: string, copy: string): Promise<void> {
  for (const name of [original, copy]) {
    await run(server, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`).catch(() => undefined);
    await run(
      server,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
    );
  }
  await eventually(() => run(server, `DROP DATABASE IF EXISTS "${copy}"`));
  await eventually(() => run(server, `CREATE DATABASE "${copy}" TEMPLATE "${original}"`));
  for (const name of [original, copy]) {
    await run(server, `ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`);
  }
}

const skus = async (url: string, sql: string): Promise<string[]> =>
  (await run<{ sku: string }>(url, sql)).map(({ sku }) => sku);

async function withShop(
  use: (shop: { fig: Fig; urls: Sides['urls']; lose(): Promise<void> }) => Promise<void>,
): Promise<void> {
  const databases = {
    legacy: await temporaryPostgresDatabase(),
    extracted: await temporaryPostgresDatabase(),
  };
  const urls = { legacy: databases.legacy.url, extracted: databases.extracted.url };
  const name = new URL(urls.extracted).pathname.slice(1);
  const server = Object.assign(new URL(urls.extracted), { pathname: '/postgres' }).href;
  try {
    await withTempDir(async (folder) => {
      await run(urls.legacy, postgresShopSchema.legacy);
      await run(urls.extracted, postgresShopSchema.extracted);
      await run(urls.legacy, `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('old', 1, 0)`);
      const sides = {
        urls,
        folder,
        legacy: { name: join(folder, 'legacy.db') },
      } as unknown as Sides;
      await withEngine(sides, { leaseMs: 1_000 }, async (running) => {
        const fig = await figFor(sides, running.url);
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        for (const line of ['backfill shop', 'reconcile shop', 'switch shop']) {
          expect(await fig(line)).toMatchObject({ code: 0 });
        }
        await copyDatabase(server, name, `${name}_dump`);
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        await run(urls.extracted, `INSERT INTO levels (sku, on_hand) VALUES ('lost', 2)`);
        await eventually(async () =>
          expect(await skus(urls.legacy, 'SELECT "SKU" AS sku FROM "STOCK"')).toContain('lost'),
        );
        await eventually(async () => {
          const [known] = await run<{ p: number }>(
            urls.legacy,
            'SELECT other_pulse AS p FROM fig_peer',
          );
          const [then] = await run<{ p: number }>(
            Object.assign(new URL(server), { pathname: `/${name}_dump` }).href,
            'SELECT pulse AS p FROM fig_peer',
          );
          expect(Number(known?.p)).toBeGreaterThan(Number(then?.p));
        });
        await use({
          fig,
          urls,
          async lose() {
            await copyDatabase(server, `${name}_dump`, name);
            await run(urls.extracted, `INSERT INTO levels (sku, on_hand) VALUES ('after', 3)`);
            // It takes no writes any more, without anybody's word.
            await eventually(async () =>
              expect(
                await run(urls.extracted, `UPDATE levels SET on_hand = 9 WHERE sku = 'old'`).catch(
                  String,
                ),
              ).toMatch(/FENCED/),
            );
          },
        });
      });
      await run(server, `DROP DATABASE IF EXISTS "${name}_dump" WITH (FORCE)`);
    });
  } finally {
    for (const database of Object.values(databases)) await database.drop();
  }
}

describe('an owner on PostgreSQL that was restored from an older dump', () => {
  it.each<SideName>(['legacy', 'extracted'])(
    'is fenced at once; the doctor names what each side alone has, and keeps it with %s',
    (side) =>
      withShop(async ({ fig, urls, lose }) => {
        await lose();
        const ill = await fig('doctor shop');
        expect(ill.code).toBe(3);
        expect(ill.stdout).toMatch(/2 rows only on legacy \(levels lost, holds lost\)/);
        expect(ill.stdout).toMatch(/1 row only on extracted \(levels after\)/);
        expect(ill.stdout).not.toContain('everything');
        expect(ill.stdout).toContain(`fig doctor shop --repair --trust ${side} --keep`);
        const mended = await fig(`doctor shop --repair --trust ${side} --keep --yes`);
        expect(mended.stdout).toMatch(new RegExp(`${side} has taken over [12] rows? that only`));
        await eventually(async () => {
          await fig('reconcile shop --repair');
          expect(await fig('reconcile shop')).toMatchObject({ code: 0 });
        });
        const all = ['after', 'lost', 'old'];
        expect((await skus(urls.legacy, 'SELECT "SKU" AS sku FROM "STOCK"')).sort()).toEqual(all);
        expect((await skus(urls.extracted, 'SELECT sku FROM levels')).sort()).toEqual(all);
      }),
  );
});
