import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { eventually, temporaryPostgresDatabase, withTempDir } from '../../tests/support/index.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import { postgresShopSchema } from '../../tests/strangler/support/postgres-shop.ts';
import { newRole, urlAs } from '../../tests/strangler/support/roles.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';

async function run<T>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}

describe('rows of the owner that a policy hides from the engine', () => {
  it('are not taken for deleted ones by anything that copies', async () => {
    const [legacy, extracted] = [
      await temporaryPostgresDatabase(),
      await temporaryPostgresDatabase(),
    ];
    const role = `fig_role_${process.pid}_${Date.now()}`;
    const urls = { legacy: urlAs(legacy.url, role), extracted: extracted.url };
    try {
      await withTempDir(async (folder) => {
        await run(
          legacy.url,
          `${newRole(role)}; GRANT CREATE, USAGE ON SCHEMA public TO ${role};
           GRANT CREATE, TEMPORARY ON DATABASE "${new URL(legacy.url).pathname.slice(1)}" TO ${role}`,
        );
        await run(urls.legacy, postgresShopSchema.legacy);
        await run(urls.extracted, postgresShopSchema.extracted);
        await run(
          urls.legacy,
          `INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 1, 0), ('b', 2, 0)`,
        );
        const sides = { urls, folder, legacy: { name: join(folder, 'x.db') } } as unknown as Sides;
        await withEngine(sides, {}, async (running) => {
          const fig = await figFor(sides, running.url);
          await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
          expect(await fig('backfill shop')).toMatchObject({ code: 0 });
          await run(
            urls.legacy,
            `ALTER TABLE "STOCK" ENABLE ROW LEVEL SECURITY;
             ALTER TABLE "STOCK" FORCE ROW LEVEL SECURITY;
             CREATE POLICY most ON "STOCK" USING ("SKU" <> 'b')`,
          );
          for (const command of ['reconcile shop --repair', 'backfill shop --restart']) {
            const refused = await fig(command);
            expect({ command, ...refused }).toMatchObject({
              command,
              code: 3,
              stderr: expect.stringMatching(
                new RegExp(
                  `hides rows from ${role}.+ALTER ROLE "?${role}"? BYPASSRLS[^]+next: fig check shop`,
                ),
              ),
            });
          }
          // Also where nothing asks for the number of rows first.
          expect(
            await running.call('POST', '/reconciles', { capability: 'shop', repair: true }),
          ).toMatchObject({ status: 409, body: { code: 'rows_hidden' } });
          const kept = await run<{ sku: string }>(urls.extracted, 'SELECT sku FROM levels');
          expect(kept.map(({ sku }) => sku).sort()).toEqual(['a', 'b']);
        });
        await run(legacy.url, `DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
      });
    } finally {
      for (const database of [legacy, extracted]) await database.drop();
    }
  });
});
