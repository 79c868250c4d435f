import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { aggregatesOf, retryParked } from '../parked/index.ts';
import type { SideDatabase } from '../side-database.ts';
import type { SideName } from '../side.ts';
import { SqliteSideDatabase } from '../sqlite/index.ts';
import { contentOfExtracted, events, expectedOfLegacy, happen } from '../testing/history.ts';
import type { Event } from '../testing/history.ts';
import { shop } from '../testing/shop.ts';
import { withSides } from '../testing/sides.ts';
import type { Prompt, Sides } from '../testing/sides.ts';
import { Applier } from './applier.ts';

const [EARLY, LATE] = ['2026-01-01 00:00:00.000', '2026-01-02 00:00:00.000'];

interface Bench {
  readonly sides: Sides;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Applies everything there is in the owner's feed. */
  drain(): Promise<void>;
  /** What is parked: the first word of each reason, or what it waits behind. */
  parked(): Promise<readonly string[]>;
}

async function withBench(work: (bench: Bench) => Promise<void>): Promise<void> {
  await withSides(async (sides) => {
    const databases = {
      legacy: new SqliteSideDatabase(sides.urls.legacy, shop, 'legacy'),
      extracted: new SqliteSideDatabase(sides.urls.extracted, shop, 'extracted'),
    };
    await databases.extracted.install();
    await databases.legacy.install();
    const { feed } = databases.legacy;
    const target = databases.extracted;
    const applier = new Applier({
      feed,
      target,
      epoch: 0,
      position: 0,
      onApplied: () => undefined,
      onRefused: () => undefined,
    });
    try {
      await work({
        sides,
        databases,
        drain: async () => applier.drainTo(await feed.last()),
        parked: async () =>
          (await target.parked.list()).map(
            ({ root, table, reason }) => `${root} ${table}: ${reason ?? 'behind'}`,
          ),
      });
    } finally {
      await applier.stop();
      await databases.legacy.close();
      await target.close();
    }
  });
}

function pay(prompt: Prompt, key: string, amount: string): void {
  prompt
    .prepare(
      `INSERT INTO PAY VALUES (?, ?, 'S', ?, ?) ON CONFLICT DO UPDATE SET AMT = excluded.AMT`,
    )
    .run(key, amount, EARLY, LATE);
}

function refund(prompt: Prompt, key: string, payment: string): void {
  prompt
    .prepare(`INSERT INTO RFND VALUES (?, ?, '1.00', 'P', ?, ?)`)
    .run(key, payment, EARLY, EARLY);
}

async function retryAll({ databases, drain }: Bench): Promise<void> {
  const all = aggregatesOf(await databases.extracted.parked.list());
  expect(await retryParked(databases.legacy, all)).toEqual(expect.any(Number));
  await drain();
}

const NOT_MONEY = `'7' is not a decimal such as '12.33'`;

describe('a change that can not be applied', () => {
  it('is parked with all that comes after it for its aggregate, and the rest goes on', () =>
    withBench(async ({ sides: { legacy, extracted }, drain, parked }) => {
      pay(legacy, 'good', '1.00');
      pay(legacy, 'bad', '7');
      refund(legacy, 'r1', 'bad');
      refund(legacy, 'r2', 'good');
      pay(legacy, 'bad', '7.00');
      legacy.exec(`DELETE FROM RFND WHERE RFND_NO = 'r1'`);
      legacy.exec(`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`);
      await drain();
      expect(await parked()).toEqual([
        `payments ["bad"] PAY: AMT: ${NOT_MONEY}`,
        'payments ["bad"] RFND: behind',
        'payments ["bad"] PAY: behind',
        'payments ["bad"] RFND: behind',
      ]);
      const ids = 'SELECT entry_id FROM entries ORDER BY 1';
      expect(extracted.prepare(ids).pluck().all()).toEqual(['refund:r2', 'settlement']);
      expect(extracted.prepare('SELECT id FROM payments').pluck().all()).toEqual(['good']);
      expect(extracted.prepare('SELECT sku FROM levels').pluck().all()).toEqual(['a']);
    }));

  it('is tried again with the row as it is by then, and those behind it follow in order', () =>
    withBench(async (bench) => {
      const { sides, drain, parked } = bench;
      pay(sides.legacy, 'p', '7');
      refund(sides.legacy, 'r1', 'p');
      await drain();
      await retryAll(bench);
      expect(await parked()).toEqual([
        `payments ["p"] PAY: AMT: ${NOT_MONEY}`,
        'payments ["p"] RFND: behind',
      ]);
      expect(aggregatesOf(await bench.databases.extracted.parked.list())).toMatchObject([
        { attempts: 2 },
      ]);
      pay(sides.legacy, 'p', '7.00');
      await retryAll(bench);
      expect(await parked()).toEqual([]);
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }));

  it('leaves nothing half applied', () =>
    withBench(async ({ sides: { legacy, extracted }, drain, parked }) => {
      pay(legacy, 'p', '1.00');
      await drain();
      // The payment can be written, its settlement can't.
      legacy.exec(`UPDATE PAY SET AMT = '2.00', UPD = 'never'`);
      await drain();
      expect(await parked()).toEqual([expect.stringContaining(`UPD: 'never' is not a UTC time`)]);
      expect(extracted.prepare('SELECT amount FROM payments').pluck().get()).toBe(100);
    }));

  it('may be one that the other side refuses', () =>
    withBench(async (bench) => {
      const { sides, databases, drain, parked } = bench;
      await databases.extracted.apply(0, (target) => target.setComplete());
      sides.extracted.exec(`UPDATE fig_clock SET applying = 1;
        INSERT INTO lines VALUES ('other', 1, 's', NULL); UPDATE fig_clock SET applying = 0`);
      sides.legacy.exec(`INSERT INTO LINES VALUES ('a', 1, 's', NULL), ('b', 2, 't', NULL)`);
      await drain();
      expect(await parked()).toEqual(['lines ["a",1] LINES: UNIQUE constraint failed: lines.slug']);
      sides.extracted.exec(`UPDATE fig_clock SET applying = 1;
        DELETE FROM lines WHERE doc = 'other'; UPDATE fig_clock SET applying = 0`);
      await retryAll(bench);
      expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
    }));

  it('can be skipped for good: its rows stay as they are until they change again', () =>
    withBench(async ({ sides: { legacy, extracted }, databases, drain, parked }) => {
      pay(legacy, 'p', '7');
      refund(legacy, 'r1', 'p');
      await drain();
      expect(await databases.extracted.parked.skip('payments ["p"]')).toBe(2);
      expect(await parked()).toEqual([]);
      pay(legacy, 'p', '7.00');
      await drain();
      expect(extracted.prepare('SELECT entry_id FROM entries').pluck().all()).toEqual([
        'settlement',
      ]);
    }));

  it('is asked for again by the owner only', () =>
    withBench(async ({ databases }) => {
      expect(
        await databases.extracted.requeue([{ table: 'levels', key: { sku: 'a' } }]),
      ).toBeNull();
    }));

  const poison = fc.oneof(
    fc
      .constantFrom('a', 'b', 'c')
      .map((key): Event => [[`UPDATE PAY SET AMT = '7' WHERE PAY_NO = ?`, key]]),
    fc
      .constantFrom('a', 'b', 'c')
      .map((key): Event => [[`UPDATE RFND SET CRT = 'never' WHERE RFND_NO = ?`, key]]),
    fc
      .constantFrom('a', 'b', 'c')
      .map((key): Event => [
        [`REPLACE INTO PAY VALUES (?, 'free', 'S', '${EARLY}', '${LATE}')`, key],
      ]),
  );

  it('among any history keeps nothing back but its own aggregate, and is made up for later', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof({ weight: 4, arbitrary: events.legacy }, { weight: 1, arbitrary: poison }),
          {
            minLength: 5,
            maxLength: 40,
          },
        ),
        (history) =>
          withBench(async (bench) => {
            const { sides, databases, drain } = bench;
            for (const [index, event] of history.entries()) {
              happen(sides.legacy, event);
              if (index % 7 === 3) await drain();
              if (index % 11 === 10) await retryAll(bench);
            }
            await drain();
            const expected = expectedOfLegacy(sides.legacy);
            const found = contentOfExtracted(sides.extracted);
            for (const table of ['levels', 'holds', 'lines']) {
              expect(found[table]).toEqual(expected[table]);
            }
            sides.legacy.exec(`UPDATE PAY SET AMT = '7.00' WHERE AMT NOT LIKE '%.__';
              UPDATE RFND SET CRT = '${EARLY}' WHERE CRT = 'never'`);
            await retryAll(bench);
            expect(await databases.extracted.parked.count()).toBe(0);
            expect(contentOfExtracted(sides.extracted)).toEqual(expectedOfLegacy(sides.legacy));
          }),
      ),
      { numRuns: 30, interruptAfterTimeLimit: 25_000 },
    ));
});
