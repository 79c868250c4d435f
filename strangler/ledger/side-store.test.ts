import { describe, expect, it } from '@jest/globals';
import type { Fence } from '../../chassis/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import { openSide } from '../sides/sides.ts';
import type { HandoverRecord, Lease, SideStore } from './store.ts';
import { dialectsOfRun } from '../../tests/support/index.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, Session } from '../../tests/strangler/support/dialects.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const open: Fence = { state: 'open', epoch: 1 };
const closed: Fence = { state: 'closed', epoch: 2 };
const record: HandoverRecord = {
  id: 'h1',
  capability: 'shop',
  from: 'legacy',
  to: 'extracted',
  epoch: 2,
  deadline: 5,
  position: null,
  outcome: null,
  reason: null,
  startedAt: 1,
  finishedAt: null,
  keys: null,
};

interface Stores {
  readonly source: SideStore;
  readonly target: SideStore;
  /** A second engine's way to the source. */
  readonly rival: SideStore;
  readonly legacy: Session;
}

async function withStores(
  dialect: Dialect,
  work: (stores: Stores) => Promise<void>,
): Promise<void> {
  await withSidesOf(dialect, async ({ urls, legacy }) => {
    const stores = await Promise.all([
      opened(urls.legacy, 'legacy'),
      opened(urls.extracted, 'extracted'),
    ]);
    const rival = await opened(urls.legacy, 'legacy');
    try {
      await work({
        source: stores[0].store,
        target: stores[1].store,
        rival: rival.store,
        legacy,
      });
    } finally {
      for (const database of [...stores, rival]) await database.close();
    }
  });
}

async function opened(url: string, side: SideName): Promise<SideDatabase> {
  const database = openSide(url, shop, side);
  await database.install();
  return database;
}

async function take(store: SideStore, holder: string, ttlMs = 60_000): Promise<Lease> {
  const lease = await store.acquireLease(holder, ttlMs);
  if (lease === null) throw new Error(`${holder} did not get the lease`);
  return lease;
}

describe.each(dialectsOfRun)("a side's store on %s", (dialect) => {
  it('remembers how often it was greeted, and what it was told of the other', () =>
    withStores(dialect, async ({ source, rival }) => {
      expect(await source.peerObservation()).toEqual({ pulse: 0, other: null });
      const lease = (await source.acquireLease('one', 60_000)) as Lease;
      expect(await source.lease()).toMatchObject({ holder: 'one' });
      const other = { incarnation: 'x', pulse: 7, epoch: 3 };
      expect(await source.saveCheckpoint(other, lease, 0)).toBe(1);
      expect(await source.saveCheckpoint(other, lease, 0)).toBe(2);
      // The other one remembers more: this one was restored, and goes on above that.
      expect(await source.saveCheckpoint({ ...other, pulse: 8 }, lease, 40)).toBe(41);
      expect(await rival.peerObservation()).toEqual({ pulse: 41, other: { ...other, pulse: 8 } });
      expect(
        await source.saveCheckpoint(other, { ...lease, token: lease.token - 1 }, 0),
      ).toBeNull();
    }));

  it('goes on above positions that were given out in a former life', () =>
    withStores(dialect, async ({ source }) => {
      const lease = (await source.acquireLease('one', 60_000)) as Lease;
      const before = await source.lastPosition();
      expect(await source.skipTo(before + 10, lease)).toBe(true);
      const after = await source.lastPosition();
      expect(after).toBeGreaterThanOrEqual(before + 10);
      await source.skipTo(before, lease);
      expect(await source.lastPosition()).toBe(after);
    }));

  it('gives the lease to one holder at a time, and a newer token to the next', async () => {
    await withStores(dialect, async ({ source }) => {
      const first = await take(source, 'a');
      expect(await source.acquireLease('b', 1000)).toBeNull();
      expect(await take(source, 'a')).toEqual(first);
      await source.releaseLease(first);
      const second = await take(source, 'b', 0);
      expect(second.token).toBeGreaterThan(first.token);
      expect((await take(source, 'c')).token).toBeGreaterThan(second.token);
    });
  });

  it('does nothing for a lease that somebody else has taken since', async () => {
    await withStores(dialect, async ({ source }) => {
      const old = await take(source, 'a', 0);
      const step = { handover: 'h1', step: 'close', detail: null };
      expect(await source.beginHandover(record, old)).toBe(true);
      expect(await source.step(step, old)).toBe(true);
      await take(source, 'b');
      expect(await source.step(step, old, { from: open, to: closed })).toBe(false);
      expect(await source.finishHandover('h1', 'aborted', null, old)).toBe(false);
      expect(await source.recordPosition('h1', old)).toBeNull();
      expect(await source.beginHandover({ ...record, id: 'h2' }, old)).toBe(false);
      expect(await source.fence()).toEqual(open);
      expect(await source.journal('h1')).toHaveLength(1);
    });
  });

  it('takes a handover from its intent to its end, step by step', async () => {
    await withStores(dialect, async ({ source, target, legacy }) => {
      const lease = await take(source, 'a');
      const step = (name: string, from: Fence, to: Fence): Promise<boolean> =>
        source.step({ handover: 'h1', step: name, detail: null }, lease, { from, to });
      expect(await source.beginHandover(record, lease)).toBe(true);
      expect(await source.beginHandover({ ...record, id: 'h2' }, lease)).toBe(false);
      expect(await source.unfinishedHandover()).toEqual(record);
      expect(await source.recordPosition('h1', lease)).toBeNull();
      await legacy.run(`INSERT INTO "STOCK" VALUES ('a', 1, 0, NULL)`);
      expect(await step('close', open, closed)).toBe(true);
      expect(await step('close', open, closed)).toBe(false);
      const position = await source.recordPosition('h1', lease);
      expect(position).toBe(await source.lastPosition());
      const ceded: Fence = { state: 'ceded', epoch: 2 };
      expect(await step('cede', closed, ceded)).toBe(true);
      expect(await target.openAsTarget(2)).toBe(true);
      expect(await target.openAsTarget(2)).toBe(true);
      expect(await target.openAsTarget(1)).toBe(false);
      expect(await target.fence()).toEqual({ state: 'open', epoch: 2 });
      expect(await source.finishHandover('h1', 'done', null, lease)).toBe(true);
      expect(await source.finishHandover('h1', 'aborted', 'late', lease)).toBe(false);
      expect(await source.unfinishedHandover()).toBeUndefined();
      expect((await source.journal('h1')).map((entry) => entry.step)).toEqual(['close', 'cede']);
      expect(await source.journals(['none', 'h1'])).toEqual(await source.journal('h1'));
      expect(await source.journals([])).toEqual([]);
      expect(await source.recentHandovers(5)).toMatchObject([
        { id: 'h1', outcome: 'done', position },
      ]);
      expect(await target.appliedPosition()).toBe(0);
    });
  });

  it('lets one of many take the lease, and one of many move the fence', async () => {
    await withStores(dialect, async ({ source, rival }) => {
      const asked = ['a', 'b', 'c', 'd'].map((holder, index) =>
        (index % 2 === 0 ? source : rival).acquireLease(holder, 60_000),
      );
      const [lease, ...others] = (await Promise.all(asked)).filter((given) => given !== null);
      expect(others).toEqual([]);
      if (lease === undefined) throw new Error('nobody got the lease');
      const step = { handover: 'h1', step: 'close', detail: null };
      const moves = [source, rival, source, rival].map((store) =>
        store.step(step, lease, { from: open, to: closed }),
      );
      expect((await Promise.all(moves)).filter((moved) => moved)).toHaveLength(1);
      expect(await rival.fence()).toEqual(closed);
      expect(await rival.journal('h1')).toHaveLength(1);
    });
  });
});
