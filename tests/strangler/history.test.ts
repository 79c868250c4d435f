import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inSoak } from '../support/index.ts';
import { Applier, secretHydrator } from '../../strangler/replication/feed/index.ts';
import { openSides } from '../../strangler/sides/sides.ts';
import type { SideDatabase } from '../../strangler/sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { portableEvents } from './support/history.ts';
import type { Event } from './support/history.ts';
import { pairings, withOwners } from './support/owners.ts';
import type { Owners } from './support/owners.ts';
import { shop } from './support/shop.ts';

type Databases = Readonly<Record<SideName, SideDatabase>>;

async function applierFrom(databases: Databases, from: SideName): Promise<Applier> {
  const target = databases[otherSide(from)];
  return new Applier({
    feed: databases[from].feed,
    reveal: secretHydrator(shop, databases[from]),
    target,
    epoch: (await target.store.fence()).epoch,
    position: await target.store.appliedPosition(),
    onApplied: () => undefined,
    onRefused: () => undefined,
  });
}

/** Ownership changes hands as a handover would do it. */
async function handOver(databases: Databases, from: SideName): Promise<void> {
  const [source, target] = [databases[from].store, databases[otherSide(from)].store];
  const fence = await source.fence();
  const epoch = fence.epoch + 1;
  const lease = await source.acquireLease('test', 10_000);
  if (lease === null) throw new Error('no lease');
  const step = { handover: 'h', step: 'cede', detail: null };
  const closed = { state: 'closed', epoch } as const;
  expect(await source.step(step, lease, { from: fence, to: closed })).toBe(true);
  await (await applierFrom(databases, from)).drainTo(await databases[from].feed.last());
  expect(await source.step(step, lease, { from: closed, to: { state: 'ceded', epoch } })).toBe(
    true,
  );
  expect(await target.openAsTarget(epoch)).toBe(true);
}

const round = (side: SideName) =>
  fc.record({
    side: fc.constant(side),
    events: fc.array(fc.record({ event: portableEvents[side], late: fc.nat(9) }), {
      minLength: 1,
      maxLength: 40,
    }),
    crash: fc.boolean(),
  });

interface Round {
  readonly side: SideName;
  readonly events: readonly { readonly event: Event; readonly late: number }[];
  readonly crash: boolean;
}

async function live(owners: Owners, databases: Databases, { side, ...what }: Round): Promise<void> {
  const writer = owners.writers[side];
  let applier = await applierFrom(databases, side);
  const open: { readonly until: number; readonly commit: () => Promise<void> }[] = [];
  for (const [index, { event, late }] of what.events.entries()) {
    // Some transactions commit long after others that began later.
    if (late < 3) {
      const commit = await writer.begin(event);
      if (commit) open.push({ until: index + late + 1, commit });
    } else {
      await writer.happen(event);
    }
    for (const { until, commit } of open) if (until === index) await commit();
    if (index % 4 === 1) await databases[side].feed.beat();
    if (index % 3 !== 2) continue;
    if (what.crash) {
      await applier.stop();
      applier = await applierFrom(databases, side);
    }
    await applier.catchUp();
  }
  for (const { until, commit } of open) if (until >= what.events.length) await commit();
  await applier.drainTo(await databases[side].feed.last());
  await applier.stop();
}

async function expectEqual({ writers }: Owners, databases: Databases): Promise<void> {
  for (const side of [databases.legacy, databases.extracted]) {
    expect(await side.parked.list()).toEqual([]);
  }
  expect(await writers.extracted.content()).toEqual(await writers.legacy.content());
}

describe.each(pairings)('from $legacy to $extracted and back', (pairing) => {
  it('both sides agree after any history', async () => {
    const rounds = fc.tuple(round('legacy'), round('extracted'), round('legacy'));
    await fc.assert(
      fc.asyncProperty(rounds, (all) =>
        withOwners(pairing, async (owners) => {
          const databases = openSides(shop, owners.urls);
          try {
            await databases.legacy.install();
            await databases.extracted.install();
            for (const one of all) {
              await live(owners, databases, one);
              await expectEqual(owners, databases);
              await handOver(databases, one.side);
            }
          } finally {
            await databases.legacy.close();
            await databases.extracted.close();
          }
        }),
      ),
      { numRuns: inSoak(4, 1) },
    );
  });
});
