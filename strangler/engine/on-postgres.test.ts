import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { AT_ONCE } from '../../tests/strangler/support/completion.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const invariants = [
  {
    name: 'units',
    legacy: 'SELECT sum("QTY") FROM "STOCK"',
    extracted: 'SELECT sum(on_hand) FROM levels',
  },
];

describe('an engine over two PostgreSQL databases', () => {
  it('passes every gate, moves ownership out, back and out again, and takes the last step', () =>
    withSidesOf('postgres', async (sides) => {
      const { urls, legacy } = sides;
      await legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 5, 0)`);
      const declaration = { urls, mapping: shop, invariants, completion: AT_ONCE };
      await withEngine(sides, { declarations: { shop: declaration } }, async (running) => {
        const { call, status, setFlags } = running;
        const order = { capability: 'shop' };
        await eventually(async () => expect((await status()).standing.as).toBe('leader'));
        await call('POST', '/backfills', order);
        await eventually(async () => expect((await status()).backfill.state).toBe('done'));
        for (const to of ['extracted', 'legacy', 'extracted']) {
          expect((await call('POST', '/reconciles', order)).body).toMatchObject({ clean: true });
          expect((await call('POST', '/handovers', { ...order, to })).body).toMatchObject({
            outcome: 'done',
            rollbackUnsafe: null,
          });
        }
        await setFlags({ 'shop.reads': 100 });
        await eventually(async () => expect((await status()).shares?.reads).toBe(100));
        expect((await call('POST', '/completions', order)).body).toMatchObject({
          outcome: 'done',
        });
        await eventually(async () => expect((await status()).stage).toBe('complete'));
        expect(await legacy.rows('SELECT "QTY" FROM "STOCK_retired"')).toHaveLength(1);
      });
    }));
});
