import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLog } from '../../chassis/index.ts';
import { inSoak } from '../support/index.ts';
import { Replication } from '../../strangler/replication/replication.ts';
import type { SideName } from '../../routing/side.ts';
import { openSides } from '../../strangler/sides/sides.ts';
import { bookingsBusiness } from './support/bookings-business.ts';
import { bookingEvents } from './support/bookings-history.ts';
import { bookings } from './support/bookings.ts';
import { handOver } from './support/hand-over.ts';
import type { Event } from './support/history.ts';
import { pairings, withOwners } from './support/owners.ts';
import type { Owners, Pairing } from './support/owners.ts';

/** No text with a NUL in it: that has no place in PostgreSQL. */
const history = (side: SideName): fc.Arbitrary<readonly Event[]> =>
  fc.array(
    bookingEvents[side].map((event) =>
      event.map(([sql, ...values]): Event[number] => [
        sql,
        ...values.map((value) => (typeof value === 'string' ? value.replaceAll('\0', '') : value)),
      ]),
    ),
    { minLength: 5, maxLength: 40 },
  );

const rounds = fc.tuple(
  history('legacy'),
  history('legacy'),
  history('extracted'),
  history('legacy'),
);

async function withReplication(
  pairing: Pairing,
  before: readonly Event[],
  work: (replication: Replication, owners: Owners) => Promise<void>,
): Promise<void> {
  await withOwners(
    pairing,
    async (owners) => {
      for (const event of before) await owners.writers.legacy.happen(event);
      const databases = openSides(bookings, owners.urls);
      const log = createLog('test', 'silent');
      const replication = new Replication({ mapping: bookings, databases, log });
      try {
        await replication.install();
        await replication.start();
        await replication.backfill();
        await work(replication, owners);
      } finally {
        await replication.stop();
      }
    },
    bookingsBusiness,
  );
}

describe.each(inSoak(pairings, pairings.slice(0, 1)))(
  'a schema made by somebody with other habits, from $legacy to $extracted',
  (pairing) => {
    it('is copied, followed, compared and handed over, both ways, whatever happens', () =>
      fc.assert(
        fc.asyncProperty(rounds, ([first, ...others]) =>
          withReplication(pairing, first, async (replication, { writers }) => {
            for (const [index, events] of others.entries()) {
              const owner = index === 1 ? 'extracted' : 'legacy';
              for (const event of events) await writers[owner].happen(event);
              await replication.barrier();
              expect(await writers.extracted.content()).toEqual(await writers.legacy.content());
              expect(await replication.reconcile()).toMatchObject({ rows: [], clean: true });
              await handOver(replication, owner);
            }
          }),
        ),
        { numRuns: 2, endOnFailure: true },
      ));
  },
);
