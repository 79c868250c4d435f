import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Redis } from 'ioredis';
import { eventually, inSoak, withRedis } from '../support/index.ts';
import { checkCapability } from '../../strangler/check/index.ts';
import type { SideName } from '../../routing/side.ts';
import { otherSide } from '../../routing/side.ts';
import { openInspectors } from '../../strangler/sides/sides.ts';
import { bookingEvents, bookingsOf, expectedBookings, SECRET } from './support/bookings-history.ts';
import { bookings, bookingsSchema, nightlyJob } from './support/bookings.ts';
import { withEngine } from './support/engine.ts';
import type { RunningEngine } from './support/engine.ts';
import { happen } from './support/history.ts';
import type { Event } from './support/history.ts';
import { withSides } from './support/sides.ts';
import type { Prompt, Sides } from './support/sides.ts';

const CAPABILITY = { capability: 'bookings' };

async function withBookings<T>(
  work: (running: RunningEngine, sides: Sides) => Promise<T>,
  redisUrl?: string,
  before: (sides: Sides) => void = () => undefined,
): Promise<T> {
  return withSides(async (sides) => {
    before(sides);
    const declarations = { bookings: { urls: sides.urls, mapping: bookings } };
    return withEngine(sides, { declarations, redisUrl }, async (running) => {
      await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
      await running.call('POST', '/backfills', CAPABILITY);
      await eventually(async () => expect((await running.status()).backfill.state).toBe('done'));
      return work(running, sides);
    });
  }, bookingsSchema);
}

async function settle({ call }: RunningEngine): Promise<void> {
  await eventually(async () =>
    expect(await call('GET', '/barrier/bookings')).toMatchObject({ status: 200 }),
  );
}

async function handOver(running: RunningEngine, to: SideName): Promise<void> {
  const report = await running.call('POST', '/reconciles', CAPABILITY);
  expect(report).toMatchObject({ status: 200, body: { rows: [], clean: true } });
  const order = { ...CAPABILITY, to };
  expect(await running.call('POST', '/handovers', order)).toMatchObject({
    status: 200,
    body: { outcome: 'done' },
  });
}

function expectEqual({ legacy, extracted }: Sides): void {
  expect(bookingsOf(extracted)).toEqual(expectedBookings(legacy));
}

const history = (side: SideName): fc.Arbitrary<readonly Event[]> =>
  fc.array(bookingEvents[side], { minLength: 5, maxLength: 25 });

describe('a schema made by somebody with other habits', () => {
  it('fits its mapping, before and after anything happened to it', () =>
    fc.assert(
      fc.asyncProperty(history('legacy'), (events) =>
        withSides(async (sides) => {
          for (const event of events) happen(sides.legacy, event);
          const inspectors = await openInspectors(bookings, sides.urls);
          const report = await checkCapability({ mapping: bookings, inspectors, measure: true });
          await inspectors.legacy.close();
          await inspectors.extracted.close();
          expect(report.findings).toEqual([]);
          expect(report.triggers.map(({ trigger }) => trigger)).toEqual([
            'trgCode',
            'trgGone',
            'trgLog',
            'trgTouch',
          ]);
        }, bookingsSchema),
      ),
      { numRuns: inSoak(15, 5) },
    ));

  it(
    'is copied, followed, compared and handed over, both ways, whatever happens meanwhile',
    () =>
      fc.assert(
        fc.asyncProperty(
          fc.tuple(history('legacy'), history('legacy'), history('extracted'), history('legacy')),
          ([first, ...rounds]) =>
            withBookings(
              async (running, sides) => {
                for (const [index, events] of rounds.entries()) {
                  const owner = index === 1 ? 'extracted' : 'legacy';
                  for (const event of events) happen(sides[owner], event);
                  await settle(running);
                  expectEqual(sides);
                  await handOver(running, otherSide(owner));
                }
              },
              undefined,
              ({ legacy }) => {
                for (const event of first) happen(legacy, event);
              },
            ),
        ),
        { numRuns: inSoak(12, 4), interruptAfterTimeLimit: 25_000 },
      ),
    40_000,
  );

  it('keeps the nightly job from a side that is not the owner, and gives out new keys', () =>
    withBookings(async (running, { legacy, extracted }) => {
      legacy.exec(`INSERT INTO tblBooking (CustomerID, Status, BookedAt) VALUES (1, 1, 5), (1, 9, 5);
        ${nightlyJob}`);
      await settle(running);
      expect(
        extracted.prepare('SELECT id, code, status, is_insured, remark FROM bookings').raw().all(),
      ).toEqual([
        [1, 'B-1', 'sailed', null, null],
        [2, 'B-2', 'cancelled', 0, 'lapsed'],
      ]);
      await handOver(running, 'extracted');
      expect(() => legacy.exec(nightlyJob)).toThrow(/FENCED/);
      extracted.exec(`INSERT INTO bookings (code, status) VALUES ('S-3', 'requested')`);
      await settle(running);
      await handOver(running, 'legacy');
      legacy.exec('INSERT INTO tblBooking (Status) VALUES (0)');
      expect(
        legacy.prepare('SELECT BookingID, Code FROM tblBooking ORDER BY 1').raw().all(),
      ).toEqual([
        [1, 'B-1'],
        [2, 'B-2'],
        [3, 'S-3'],
        [4, 'B-4'],
      ]);
    }));
});

/** Everything that a database holds outside of the business's own tables. */
function ownTables(prompt: Prompt): string {
  const tables = prompt
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'fig\\_%' ESCAPE '\\'`,
    )
    .pluck()
    .all() as string[];
  const rows = tables.flatMap((table) => prompt.prepare(`SELECT * FROM ${table}`).raw().all());
  return JSON.stringify(rows, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

function expectNoSecret(...places: readonly string[]): void {
  const forms = [
    SECRET,
    Buffer.from(SECRET).toString('hex'),
    Buffer.from(SECRET).toString('base64'),
  ];
  for (const place of places) {
    for (const form of forms) expect(place.toLowerCase()).not.toContain(form.toLowerCase());
  }
}

const TOKEN = `x'${Buffer.from(`${SECRET}-9`).toString('hex')}'`;

describe('a secret', () => {
  it('gets to the other side, and nowhere else: feed, Redis, parked rows, reports, logs', () =>
    withRedis(async (redis) => {
      const prompt = new Redis(redis.url);
      const commands: string[] = [];
      const monitor = await prompt.monitor();
      monitor.on('monitor', (_time: string, words: string[]) => commands.push(words.join(' ')));
      await withBookings(async (running, sides) => {
        const { legacy, extracted } = sides;
        await eventually(async () => expect((await running.status()).transport).toBe('queue'));
        legacy.exec(`INSERT INTO tblCustomer (FullName, Passport) VALUES ('Ann', '${SECRET}-1');
          INSERT INTO tblCustomer (FullName, Passport) VALUES ('Bob', '${SECRET}-2');
          INSERT INTO tblBooking (CustomerID, Status, CardToken) VALUES (1, 1, ${TOKEN});
          UPDATE tblCustomer SET Passport = '${SECRET}-3' WHERE CustomerID = 2;`);
        await settle(running);
        const passports = 'SELECT passport_no FROM customers ORDER BY id';
        expect(extracted.prepare(passports).pluck().all()).toEqual([`${SECRET}-1`, `${SECRET}-3`]);
        expectEqual(sides);
        // Damaged by hand, and with a row that can't be brought over.
        extracted.exec(`UPDATE fig_clock SET applying = 1;
          UPDATE customers SET passport_no = '${SECRET}-x', name = 'Amy' WHERE id = 1;
          UPDATE fig_clock SET applying = 0`);
        const report = await running.call('POST', '/reconciles', CAPABILITY);
        expect(report.body).toMatchObject({
          rows: [{ columns: ['name', 'passport_no'], source: { Passport: '(secret)' } }],
        });
        legacy.exec(
          `UPDATE tblCustomer SET VIP = '?', Passport = '${SECRET}-4' WHERE CustomerID = 2`,
        );
        await eventually(async () => expect((await running.status()).parked).not.toBeNull());
        legacy.exec(`UPDATE tblCustomer SET Passport = '${SECRET}-5' WHERE CustomerID = 2`);
        await eventually(async () => expect((await running.status()).parked?.changes).toBe(2));
        const status = await running.call('GET', '/status');
        expectNoSecret(
          ownTables(legacy),
          ownTables(extracted),
          JSON.stringify([report.body, status.body]),
          running.lines.join(''),
          commands.join('\n'),
        );
        expect(commands.join('\n')).toContain('Ann');
        expect(ownTables(extracted)).toContain('Bob');
      }, redis.url);
      monitor.disconnect();
      prompt.disconnect();
    }));

  it('that changes while its row is hot is no difference, and is there in the end', () =>
    withBookings(async (running, sides) => {
      const write = sides.legacy.prepare(
        'REPLACE INTO tblCustomer VALUES (1, ?, ?, 1, NULL, NULL, ?, NULL)',
      );
      let round = 0;
      const timer = setInterval(() => {
        round += 1;
        write.run(`name ${round}`, `${SECRET}-${round}`, `mail ${round}`);
        if (round % 5 === 0) sides.legacy.exec('DELETE FROM tblCustomer');
      }, 1);
      try {
        for (let look = 0; look < 5; look += 1) {
          const { body } = await running.call('POST', '/reconciles', CAPABILITY);
          const { pairs } = body as {
            pairs: { missing: number; extra: number; different: number }[];
          };
          for (const pair of pairs)
            expect(pair).toMatchObject({ missing: 0, extra: 0, different: 0 });
        }
      } finally {
        clearInterval(timer);
      }
      await settle(running);
      expectEqual(sides);
    }));
});
