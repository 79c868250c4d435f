import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inSoak } from '../../../tests/support/index.ts';
import { aggregatesOf, retryParked } from '../parked/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Dialect } from '../../../chassis/index.ts';
import { openSides } from '../../sides/sides.ts';
import { portableEvents } from '../../../tests/strangler/support/history.ts';
import type { Event } from '../../../tests/strangler/support/history.ts';
import { withOwners } from '../../../tests/strangler/support/owners.ts';
import type { Pairing } from '../../../tests/strangler/support/owners.ts';
import type { Writer } from '../../../tests/strangler/support/writers.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { Applier } from './applier.ts';

const [EARLY, LATE] = ['2026-01-01 00:00:00.000', '2026-01-02 00:00:00.000'];

interface Bench {
  readonly legacy: Writer;
  readonly extracted: Writer;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Applies everything there is in the owner's feed. */
  drain(): Promise<void>;
  /** What is parked: the first word of each reason, or what it waits behind. */
  parked(): Promise<readonly string[]>;
}

async function withBench(pairing: Pairing, work: (bench: Bench) => Promise<void>): Promise<void> {
  await withOwners(pairing, async ({ urls, writers }) => {
    const databases = openSides(shop, urls);
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
        ...writers,
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

function pay(writer: Writer, key: string, amount: string): Promise<void> {
  const sql = `INSERT INTO PAY VALUES (?, ?, 'S', ?, ?) ON CONFLICT DO UPDATE SET AMT = excluded.AMT`;
  return writer.run(sql, key, amount, EARLY, LATE);
}

function refund(writer: Writer, key: string, payment: string): Promise<void> {
  return writer.run(
    `INSERT INTO RFND VALUES (?, ?, '1.00', 'P', ?, ?)`,
    key,
    payment,
    EARLY,
    EARLY,
  );
}

async function retryAll({ databases, drain }: Bench): Promise<void> {
  const all = aggregatesOf(await databases.extracted.parked.list());
  expect(await retryParked(databases.legacy, all)).toEqual(expect.any(Number));
  await drain();
}

/** What the columns take, but no codec. */
const BAD: Readonly<Record<Dialect, { readonly money: string; readonly time: string }>> = {
  sqlite: { money: '7', time: 'never' },
  postgres: { money: 'NaN', time: 'infinity' },
};

describe.each([
  { legacy: 'sqlite', extracted: 'sqlite' },
  ...inSoak(
    [
      { legacy: 'sqlite', extracted: 'postgres' } as const,
      { legacy: 'postgres', extracted: 'postgres' } as const,
    ],
    [],
  ),
] as const)('a change from $legacy that can not be applied to $extracted', (pairing) => {
  const bad = BAD[pairing.legacy];
  const notMoney = `'${bad.money}' is not a decimal such as '12.33'`;

  it('is parked with all that comes after it for its aggregate, and the rest goes on', () =>
    withBench(pairing, async ({ legacy, extracted, drain, parked }) => {
      await pay(legacy, 'good', '1.00');
      await pay(legacy, 'bad', bad.money);
      await refund(legacy, 'r1', 'bad');
      await refund(legacy, 'r2', 'good');
      await pay(legacy, 'bad', '7.00');
      await legacy.run(`DELETE FROM RFND WHERE RFND_NO = 'r1'`);
      await legacy.run(`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`);
      await drain();
      expect(await parked()).toEqual([
        `payments ["bad"] PAY: AMT: ${notMoney}`,
        'payments ["bad"] RFND: behind',
        'payments ["bad"] PAY: behind',
      ]);
      const ids = 'SELECT entry_id FROM entries ORDER BY 1';
      expect(await extracted.values(ids)).toEqual(['refund:r2', 'settlement']);
      expect(await extracted.values('SELECT id FROM payments')).toEqual(['good']);
      expect(await extracted.values('SELECT sku FROM levels')).toEqual(['a']);
    }));

  it('is settled once its row is gone, with the deletes that have waited behind it', () =>
    withBench(pairing, async ({ legacy, extracted, drain, parked }) => {
      for (const key of ['bad', 'worse', 'worst']) await pay(legacy, key, bad.money);
      await refund(legacy, 'r1', 'bad');
      await refund(legacy, 'r2', 'bad');
      await refund(legacy, 'r3', 'worse');
      await drain();
      expect(await parked()).toHaveLength(6);
      await legacy.run(`DELETE FROM RFND`);
      await legacy.run(`DELETE FROM PAY WHERE PAY_NO <> 'worst'`);
      await drain();
      expect(await parked()).toEqual([`payments ["worst"] PAY: AMT: ${notMoney}`]);
      await legacy.run(`DELETE FROM PAY`);
      // What comes for the same key is a row like any other.
      await pay(legacy, 'bad', '7.00');
      await drain();
      expect(await parked()).toEqual([]);
      expect(await extracted.values('SELECT id FROM payments')).toEqual(['bad']);
    }));

  it('is settled by its delete also where both come together', () =>
    withBench(pairing, async ({ legacy, extracted, drain, parked }) => {
      await pay(legacy, 'other', bad.money);
      await drain();
      for (const key of ['a', 'b', 'c']) await pay(legacy, key, bad.money);
      await legacy.run(`DELETE FROM PAY WHERE PAY_NO IN ('a', 'b', 'c')`);
      await pay(legacy, 'good', '1.00');
      await drain();
      expect(await parked()).toEqual([`payments ["other"] PAY: AMT: ${notMoney}`]);
      expect(await extracted.values('SELECT id FROM payments')).toEqual(['good']);
    }));

  it('is tried again with the row as it is by then, and those behind it follow in order', () =>
    withBench(pairing, async (bench) => {
      const { legacy, extracted, drain, parked } = bench;
      await pay(legacy, 'p', bad.money);
      await refund(legacy, 'r1', 'p');
      await drain();
      await retryAll(bench);
      expect(await parked()).toEqual([
        `payments ["p"] PAY: AMT: ${notMoney}`,
        'payments ["p"] RFND: behind',
      ]);
      expect(aggregatesOf(await bench.databases.extracted.parked.list())).toMatchObject([
        { attempts: 2 },
      ]);
      await pay(legacy, 'p', '7.00');
      await retryAll(bench);
      expect(await parked()).toEqual([]);
      expect(await extracted.content()).toEqual(await legacy.content());
    }));

  it('leaves nothing half applied', () =>
    withBench(pairing, async ({ legacy, extracted, drain, parked }) => {
      await pay(legacy, 'p', '1.00');
      await drain();
      // The payment can be written, its settlement can't.
      await legacy.run(`UPDATE PAY SET AMT = '2.00', UPD = ?`, bad.time);
      await drain();
      const reason = `UPD: '${bad.time}' is not a UTC time`;
      expect(await parked()).toEqual([expect.stringContaining(reason)]);
      expect((await extracted.values('SELECT amount FROM payments')).map(String)).toEqual(['100']);
    }));

  it('may be one that the other side refuses', () =>
    withBench(pairing, async (bench) => {
      const { legacy, extracted, databases, drain, parked } = bench;
      await databases.extracted.apply(0, (target) => target.setComplete());
      await extracted.asApplier(`INSERT INTO lines VALUES ('other', 1, 's', NULL)`);
      await legacy.run(`INSERT INTO LINES VALUES ('a', 1, 's', NULL), ('b', 2, 't', NULL)`);
      await drain();
      expect(await parked()).toEqual([
        expect.stringMatching(/^lines \["a",1\] LINES: .*unique.*lines.slug/i),
      ]);
      await extracted.asApplier(`DELETE FROM lines WHERE doc = 'other'`);
      await retryAll(bench);
      expect(await extracted.content()).toEqual(await legacy.content());
    }));

  it('can be skipped for good: its rows stay as they are until they change again', () =>
    withBench(pairing, async ({ legacy, extracted, databases, drain, parked }) => {
      await pay(legacy, 'p', bad.money);
      await refund(legacy, 'r1', 'p');
      await drain();
      const { parked: changes, checks } = databases.extracted;
      expect(await changes.skip('payments ["q"]')).toBe(0);
      expect(await checks.demand()).toBeNull();
      expect(await changes.skip('payments ["p"]')).toBe(2);
      expect(await parked()).toEqual([]);
      expect(await checks.demand()).toMatchObject({
        reason: 'dead-lettered changes of payments ["p"] were dropped',
      });
      await pay(legacy, 'p', '7.00');
      await drain();
      expect(await extracted.values('SELECT entry_id FROM entries')).toEqual(['settlement']);
    }));

  it('is asked for again by the owner only', () =>
    withBench(pairing, async ({ databases }) => {
      expect(await databases.extracted.reEmit([{ table: 'levels', key: { sku: 'a' } }])).toBeNull();
    }));

  const key = fc.constantFrom('a', 'b', 'c');
  const poison = fc.oneof(
    key.map((one): Event => [[`UPDATE PAY SET AMT = ? WHERE PAY_NO = ?`, bad.money, one]]),
    key.map((one): Event => [[`UPDATE RFND SET CRT = ? WHERE RFND_NO = ?`, bad.time, one]]),
    key.map((one): Event => [
      ['REPLACE INTO PAY VALUES (?, ?, ?, ?, ?)', one, bad.money, 'S', EARLY, LATE],
    ]),
  );
  const history = fc.array(
    fc.oneof({ weight: 4, arbitrary: portableEvents.legacy }, { weight: 1, arbitrary: poison }),
    { minLength: 5, maxLength: 40 },
  );

  it('among any history keeps nothing back but its own aggregate, and is made up for later', () =>
    fc.assert(
      fc.asyncProperty(history, (events) =>
        withBench(pairing, async (bench) => {
          const { legacy, extracted, databases, drain } = bench;
          for (const [index, event] of events.entries()) {
            await legacy.happen(event);
            if (index % 7 === 3) await drain();
            if (index % 11 === 10) await retryAll(bench);
          }
          await drain();
          const [expected, found] = [await legacy.content(), await extracted.content()];
          for (const table of ['levels', 'holds', 'lines']) {
            expect(found[table]).toEqual(expected[table]);
          }
          await legacy.run(`UPDATE PAY SET AMT = '7.00' WHERE AMT = ?`, bad.money);
          await legacy.run(`UPDATE RFND SET CRT = '${EARLY}' WHERE CRT = ?`, bad.time);
          await retryAll(bench);
          expect(await databases.extracted.parked.list()).toEqual([]);
          expect(await extracted.content()).toEqual(await legacy.content());
        }),
      ),
      { numRuns: pairing.extracted === 'sqlite' ? inSoak(30, 8) : 3 },
    ));
});
