import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { inSoak } from '../../../tests/support/index.ts';
import { markOf } from '../feed-mark.ts';
import { ApplyError, NotTargetError } from '../../sides/side-database.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { SqliteSideDatabase } from '../../dialects/sqlite/index.ts';
import type { Slice } from '../../ledger/store.ts';
import {
  contentOfExtracted,
  events,
  expectedOfLegacy,
  happen,
} from '../../../tests/strangler/support/history.ts';
import type { Event } from '../../../tests/strangler/support/history.ts';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { Sides } from '../../../tests/strangler/support/sides.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { Applier } from './applier.ts';

type Databases = Readonly<Record<SideName, SideDatabase>>;

async function withInstalled(
  work: (sides: Sides, databases: Databases) => Promise<void>,
): Promise<void> {
  await withSides(async (sides) => {
    const databases = {
      legacy: new SqliteSideDatabase(sides.urls.legacy, shop, 'legacy'),
      extracted: new SqliteSideDatabase(sides.urls.extracted, shop, 'extracted'),
    };
    await databases.legacy.install();
    await databases.extracted.install();
    try {
      await work(sides, databases);
    } finally {
      await databases.legacy.close();
      await databases.extracted.close();
    }
  });
}

async function applierFrom(databases: Databases, from: SideName): Promise<Applier> {
  const target = databases[otherSide(from)];
  return new Applier({
    feed: databases[from].feed,
    target,
    epoch: (await target.store.fence()).epoch,
    position: await target.store.appliedPosition(),
    onApplied: () => undefined,
    onRefused: () => undefined,
  });
}

/** Ownership changes hands as a handover would do it, once everything is applied. */
async function handOver(databases: Databases, from: SideName): Promise<void> {
  const [source, target] = [databases[from].store, databases[otherSide(from)].store];
  const fence = await source.fence();
  const epoch = fence.epoch + 1;
  const lease = await source.acquireLease('test', 1000);
  if (lease === null) throw new Error('no lease');
  const step = { handover: 'h', step: 'cede', detail: null };
  await source.step(step, lease, { from: fence, to: { state: 'closed', epoch } });
  const applier = await applierFrom(databases, from);
  await applier.drainTo(await source.lastPosition());
  const closed = { state: 'closed', epoch } as const;
  await source.step(step, lease, { from: closed, to: { state: 'ceded', epoch } });
  expect(await target.openAsTarget(epoch)).toBe(true);
}

function expectEqual({ legacy, extracted }: Sides): void {
  expect(contentOfExtracted(extracted)).toEqual(expectedOfLegacy(legacy));
}

/** Slices as a bad transport would bring them: cut anywhere, doubled, lost, in any order. */
async function mangled(feed: SideDatabase['feed'], seed: readonly number[]): Promise<Slice[]> {
  const whole = await feed.read((await feed.last()) - (await feed.size()), 10_000);
  const slices = seed.map((number): Slice => {
    const after = number % (whole.upto + 1);
    const upto = Math.min(whole.upto, after + 1 + (number % 7));
    const changes = whole.changes.filter((c) => c.position > after && c.position <= upto);
    const last = whole.changes.find(({ position }) => position === after);
    return { ...whole, after, upto, before: last === undefined ? null : markOf(last), changes };
  });
  return slices.filter(({ after, upto }) => upto > after);
}

const round = (side: SideName) =>
  fc.record({
    side: fc.constant(side),
    events: fc.array(events[side], { minLength: 1, maxLength: 12 }),
    seed: fc.array(fc.nat(1000), { maxLength: 6 }),
    crash: fc.boolean(),
    /** Services set it, a hand-typed session has not: REPLACE then fires other triggers. */
    recursiveTriggers: fc.boolean(),
  });

interface Round {
  readonly side: SideName;
  readonly events: readonly Event[];
  readonly seed: readonly number[];
  readonly crash: boolean;
  readonly recursiveTriggers: boolean;
}

async function live(sides: Sides, databases: Databases, { side, ...what }: Round): Promise<void> {
  sides[side].pragma(`recursive_triggers = ${what.recursiveTriggers ? 'ON' : 'OFF'}`);
  let applier = await applierFrom(databases, side);
  for (const [index, event] of what.events.entries()) {
    happen(sides[side], event);
    if (index % 4 === 1) await databases[side].feed.beat();
    if (index % 3 !== 2) continue;
    const slices = await mangled(databases[side].feed, what.seed);
    const deliveries = slices.map((slice) => applier.deliver(slice));
    if (what.crash) {
      // An applier dies in the middle, and the next one knows only what the database says.
      await applier.stop();
      applier = await applierFrom(databases, side);
    }
    await Promise.all(deliveries);
  }
  await applier.drainTo(await databases[side].feed.last());
  expectEqual(sides);
}

describe('an applier', () => {
  it('makes both sides equal, whatever happens at the owner and to the slices, both ways', async () => {
    const rounds = fc.tuple(round('legacy'), round('extracted'), round('legacy'));
    await fc.assert(
      fc.asyncProperty(rounds, (all) =>
        withInstalled(async (sides, databases) => {
          for (const one of all) {
            await live(sides, databases, one);
            await handOver(databases, one.side);
          }
        }),
      ),
      { numRuns: inSoak(60, 15), interruptAfterTimeLimit: 25_000 },
    );
  });

  it('does not write its own rows into the feed again', async () => {
    await withInstalled(async (sides, databases) => {
      happen(sides.legacy, [[`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`]]);
      await (await applierFrom(databases, 'legacy')).drainTo(await databases.legacy.feed.last());
      expectEqual(sides);
      expect(await databases.extracted.feed.last()).toBe(1);
    });
  });

  it('that outlived a handover is refused, and changes nothing', async () => {
    await withInstalled(async (sides, databases) => {
      const zombie = await applierFrom(databases, 'legacy');
      happen(sides.legacy, [[`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`]]);
      const late = await databases.legacy.feed.read(0, 100);
      await handOver(databases, 'legacy');
      happen(sides.extracted, [[`UPDATE levels SET on_hand = 5`]]);
      await expect(zombie.deliver(late)).rejects.toThrow(NotTargetError);
      expect(sides.extracted.prepare('SELECT on_hand FROM levels').pluck().get()).toBe(5);
      await handOver(databases, 'extracted');
      await zombie.deliver(late);
      expectEqual(sides);
    });
  });

  it('stops when no change is to blame, says why, and goes on when it can', async () => {
    await withInstalled(async ({ legacy, extracted }, databases) => {
      legacy.exec(`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`);
      const applier = await applierFrom(databases, 'legacy');
      extracted.exec('ALTER TABLE levels RENAME COLUMN note TO remark');
      await expect(applier.drainTo(2)).rejects.toThrow(ApplyError);
      await expect(applier.drainTo(2)).rejects.toThrow(/change 2 .* no column named note/);
      expect(applier.problem).toMatchObject({ attempts: 2 });
      // Until its next try is due, nothing hammers the target.
      await applier.catchUp();
      expect(applier.problem).toMatchObject({ attempts: 2 });
      extracted.exec('ALTER TABLE levels RENAME COLUMN remark TO note');
      await applier.drainTo(2);
      expect(applier.problem).toBeNull();
      expect(await databases.extracted.parked.count()).toBe(0);
    });
  });
});
