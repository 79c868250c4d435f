import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, inSoak } from '../../tests/support/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { dialects } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../tests/strangler/support/dialects.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import {
  expectEqual,
  prepareTill,
  takersOf,
  withTill,
  withTillEngine,
} from '../../tests/strangler/support/till-desk.ts';

const CUSTOMERS = ['A', 'B', 'C', 'D'];

/** What an operator does: moves some customers, or everything that is left, to a side. */
const moves = fc.record({
  to: fc.constantFrom<SideName>('legacy', 'extracted'),
  customers: fc.option(fc.subarray([...CUSTOMERS, 'nobody yet'], { minLength: 1 }), { nil: null }),
});

const WORDS: Readonly<
  Record<
    SideName,
    { count(c: string): string; pass(to: string): string; churn(c: string): string[] }
  >
> = {
  legacy: {
    count: (c) =>
      `UPDATE "SALE" SET "AMT" = "AMT" + 1 WHERE "SALE_NO" = 'first of ${c}' RETURNING "AMT"`,
    pass: (to) =>
      `UPDATE "SALE" SET "CUST_NO" = '${to}', "AMT" = "AMT" + 1 WHERE "SALE_NO" = 'wanderer' RETURNING "AMT"`,
    churn: (c) => [
      `INSERT INTO "ITEM" VALUES ('first of ${c}', 7, '${c}', 'cake')`,
      `DELETE FROM "ITEM" WHERE "SALE_NO" = 'first of ${c}'`,
    ],
  },
  extracted: {
    count: (c) =>
      `UPDATE sales SET amount = amount + 1 WHERE id = 'first of ${c}' RETURNING amount`,
    pass: (to) =>
      `UPDATE sales SET customer_id = '${to}', amount = amount + 1 WHERE id = 'wanderer' RETURNING amount`,
    churn: (c) => [
      `INSERT INTO items VALUES ('first of ${c}', 7, '${c}', 'cake')`,
      `DELETE FROM items WHERE sale_id = 'first of ${c}'`,
    ],
  },
};

interface Seller {
  /** Counts every customer up at once, a few times, at whichever side takes it. */
  rush(): Promise<void>;
  stop(): Promise<Map<string, number>>;
}

/** Sales of all customers, counted up at whichever side takes them, with a ledger of what was told. */
function keepSelling(sides: DialectSides, seed: number): Seller {
  const ledger = new Map<string, number>();
  const keep = (sale: string, rows: readonly unknown[]): void => {
    ledger.set(sale, (ledger.get(sale) ?? 1) + rows.length);
  };
  let going = true;
  const attemptAt = async (side: SideName, sql: string, sale: string): Promise<void> => {
    // Fenced, or the other side's turn at the lock.
    await sides[side].rows(sql).then(
      (rows) => keep(sale, rows),
      () => undefined,
    );
  };
  const at = async (side: SideName): Promise<void> => {
    const attempt = (sql: string, sale: string): Promise<void> => attemptAt(side, sql, sale);
    for (let turn = seed; going; turn += 1) {
      const customer = CUSTOMERS[turn % CUSTOMERS.length] ?? 'A';
      const { count, pass, churn } = WORDS[side];
      await attempt(count(customer), `first of ${customer}`);
      if (turn % 3 === 0) await attempt(pass(customer), 'wanderer');
      for (const sql of churn(customer)) await sides[side].run(sql).catch(() => undefined);
      await delay(1);
    }
  };
  const selling = [at('legacy'), at('extracted')];
  return {
    rush: async () => {
      for (const side of ['legacy', 'extracted'] as const) {
        for (const customer of [...CUSTOMERS, ...CUSTOMERS, ...CUSTOMERS]) {
          await attemptAt(side, WORDS[side].count(customer), `first of ${customer}`);
        }
      }
    },
    stop: async () => {
      going = false;
      await Promise.all(selling);
      return ledger;
    },
  };
}

async function amountsAt(sides: DialectSides, side: SideName): Promise<Map<string, number>> {
  const sql = {
    legacy: `SELECT "SALE_NO" AS sale, "AMT" AS amount FROM "SALE"`,
    extracted: 'SELECT id AS sale, amount FROM sales',
  };
  const rows = await sides[side].rows<{ sale: string; amount: number | string }>(sql[side]);
  return new Map(rows.map(({ sale, amount }) => [sale, Number(amount)]));
}

/** Does what the operator does, and returns how many moves were done. */
async function operate(
  { call }: RunningEngine,
  all: readonly { readonly to: SideName; readonly customers: string[] | null }[],
): Promise<number> {
  let done = 0;
  for (const { to, customers } of all) {
    const order = { capability: 'till', to, ...(customers ? { customers } : {}) };
    // An engine that was kept from renewing its lease leads again in a moment; `fig` waits for it, too.
    const { body } = await eventually(async () => {
      const answer = await call('POST', '/handovers', order);
      return answer.status === 503 ? false : answer;
    });
    if ((body as { outcome?: string }).outcome === 'done') done += 1;
  }
  return done;
}

describe.each(inSoak<readonly Dialect[]>(dialects, ['sqlite']))(
  'customers who move to and fro on %s',
  (dialect) => {
    it.each(inSoak([1, 2, 3], [1]))(
      'lose no sale, and have one owner each, in history %i',
      (seed) =>
        withTill(
          dialect,
          async (sides) => {
            await sides.legacy.run(`INSERT INTO "SALE" VALUES ('wanderer', 'A', 'w', 1)`);
            let shop: Seller | undefined;
            // Just before the fences close, so that there is something that is not applied yet.
            const rush = async (_: string, step: StepKind): Promise<void> => {
              if (step === 'close') await shop?.rush();
            };
            const story = async (running: RunningEngine): Promise<void> => {
              await prepareTill(running);
              shop = keepSelling(sides, seed);
              const wanted = fc.sample(moves, { seed, numRuns: 10 });
              const done = await operate(running, wanted).catch((error: unknown) => error);
              const ledger = await shop.stop();
              expect(done).toBeGreaterThan(2);
              await expectEqual(running);
              const amounts = await amountsAt(sides, 'legacy');
              expect(await amountsAt(sides, 'extracted')).toEqual(amounts);
              expect(Object.fromEntries(amounts)).toMatchObject(Object.fromEntries(ledger));
              const { owner, cohorts } = await running.status();
              for (const customer of [...CUSTOMERS, 'nobody yet', 'somebody new']) {
                const isAhead = cohorts?.[otherSide(owner ?? 'legacy')].includes(customer) ?? false;
                const expected = isAhead ? otherSide(owner ?? 'legacy') : owner;
                expect(await takersOf(sides, customer, `last of ${customer}`)).toEqual([expected]);
              }
            };
            await withTillEngine(sides, story, rush);
          },
          CUSTOMERS,
        ),
      120_000,
    );
  },
);
