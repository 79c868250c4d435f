import { describe, expect, it } from '@jest/globals';
import type { Fence } from '../../chassis/index.ts';
import type { HandoverRecord, Lease, SideStore } from '../store.ts';
import { withSides } from '../testing/sides.ts';
import type { Prompt } from '../testing/sides.ts';
import { shop } from '../testing/shop.ts';
import { SqliteConnection } from './connection.ts';
import { install } from './install.ts';
import { SqliteSideStore } from './side-store.ts';

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
};

async function withStores(
  work: (source: SideStore, target: SideStore, legacy: Prompt) => Promise<void>,
): Promise<void> {
  await withSides(async ({ urls, legacy }) => {
    const [left, right] = [new SqliteConnection(urls.legacy), new SqliteConnection(urls.extracted)];
    await install(left, shop, 'legacy');
    await install(right, shop, 'extracted');
    await work(
      new SqliteSideStore(left, 'shop', 'legacy'),
      new SqliteSideStore(right, 'shop', 'extracted'),
      legacy,
    );
    left.close();
    right.close();
  });
}

async function take(store: SideStore, holder: string, ttlMs = 60_000): Promise<Lease> {
  const lease = await store.acquireLease(holder, ttlMs);
  if (lease === null) throw new Error(`${holder} did not get the lease`);
  return lease;
}

describe("a side's store", () => {
  it('gives the lease to one holder at a time, and a newer token to the next', async () => {
    await withStores(async (source) => {
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
    await withStores(async (source) => {
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
    await withStores(async (source, target, legacy) => {
      const lease = await take(source, 'a');
      const step = (name: string, from: Fence, to: Fence): Promise<boolean> =>
        source.step({ handover: 'h1', step: name, detail: null }, lease, { from, to });
      expect(await source.beginHandover(record, lease)).toBe(true);
      expect(await source.beginHandover({ ...record, id: 'h2' }, lease)).toBe(false);
      expect(await source.unfinishedHandover()).toEqual(record);
      expect(await source.recordPosition('h1', lease)).toBeNull();
      legacy.exec(`INSERT INTO STOCK VALUES ('a', 1, 0, NULL)`);
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
      expect(await source.recentHandovers(5)).toMatchObject([
        { id: 'h1', outcome: 'done', position },
      ]);
      expect(await target.appliedPosition()).toBe(0);
    });
  });
});
