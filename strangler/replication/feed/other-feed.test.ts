import { describe, expect, it } from '@jest/globals';
import { OtherFeedError } from '../feed-mark.ts';
import { openSides } from '../../sides/sides.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { dialects, withSidesOf } from '../../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../../tests/strangler/support/dialects.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { Applier } from './applier.ts';

interface Stage extends DialectSides {
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  /** Applies all there is. */
  drain(): Promise<void>;
  /** Makes the change at a position one that was recorded at another time, as in a restored branch. */
  branchAt(position: number): Promise<void>;
  write(quantity: number): Promise<void>;
  quantity(): Promise<unknown>;
}

function withStage(dialect: Dialect, use: (stage: Stage) => Promise<void>): Promise<void> {
  return withSidesOf(dialect, async (prompts) => {
    const { legacy: source, extracted: target } = openSides(shop, prompts.urls);
    try {
      await source.install();
      await target.install();
      await prompts.legacy.run(`INSERT INTO "STOCK" ("SKU", "QTY", "RSV") VALUES ('a', 1, 0)`);
      await use({
        ...prompts,
        source,
        target,
        async drain() {
          const applier = new Applier({
            feed: source.feed,
            target,
            epoch: (await target.store.fence()).epoch,
            position: await target.store.appliedPosition(),
            onApplied: () => undefined,
            onRefused: () => undefined,
          });
          await applier.drainTo(await source.feed.last());
        },
        branchAt: (position) =>
          prompts.legacy.run(`UPDATE fig_feed_shop SET at = at + 1 WHERE position = ${position}`),
        write: (quantity) => prompts.legacy.run(`UPDATE "STOCK" SET "QTY" = ${quantity}`),
        async quantity() {
          const [row] = await prompts.extracted.rows<{ on_hand: number }>(
            'SELECT on_hand FROM levels',
          );
          return Number(row?.on_hand);
        },
      });
    } finally {
      await source.close();
      await target.close();
    }
  });
}

describe.each(dialects)('a feed that is not the one that was followed, on %s', (dialect) => {
  it('is not applied, however it is cut, and is once a person has decided so', () =>
    withStage(dialect, async ({ source, target, drain, branchAt, write, quantity }) => {
      await drain();
      const { position, mark } = await target.store.followed();
      expect(mark).toBe(await source.feed.markAt(position));
      const early = await source.feed.read(0, 1_000);
      await branchAt(position);
      await write(2);
      await expect(drain()).rejects.toThrow(OtherFeedError);
      // Neither by a slice that begins before what was applied.
      const { epoch } = await target.store.fence();
      const whole = await source.feed.read(0, 1_000);
      await expect(target.applySlice(epoch, whole)).rejects.toThrow(/another change at position/);
      expect(await quantity()).toBe(1);
      // One that was read before, and is all applied, does no harm.
      expect(await target.applySlice(epoch, early)).toMatchObject({ position });
      const lease = await target.store.acquireLease('a person', 60_000);
      if (lease === null) throw new Error('somebody else has the lease');
      const from = { position, mark: await source.feed.markAt(position) };
      await target.store.followFrom(from, lease);
      await drain();
      expect(await quantity()).toBe(2);
    }));

  it('is not applied where the change that was applied last is not in it', () =>
    withStage(dialect, async ({ legacy, target, drain, write, quantity }) => {
      await drain();
      const { position } = await target.store.followed();
      await write(2);
      await legacy.run(`DELETE FROM fig_feed_shop WHERE position <= ${position}`);
      await expect(drain()).rejects.toThrow(OtherFeedError);
      expect(await quantity()).toBe(1);
    }));

  it('is told from the next position on where an earlier build has kept no mark, or gone on without', () =>
    withStage(dialect, async ({ extracted, target, drain, branchAt, write, quantity }) => {
      await drain();
      await extracted.run('ALTER TABLE fig_applied DROP COLUMN mark');
      expect(await target.store.followed()).toMatchObject({ mark: null });
      await target.install();
      await write(2);
      await drain();
      const { position, mark } = await target.store.followed();
      expect(mark).toMatch(new RegExp(`^${position}:`));
      await write(3);
      await extracted.run('UPDATE fig_applied SET position = position + 1');
      expect(await target.store.followed()).toEqual({ position: position + 1, mark: null });
      await write(4);
      await drain();
      expect(await quantity()).toBe(4);
      await branchAt((await target.store.followed()).position);
      await write(5);
      await expect(drain()).rejects.toThrow(OtherFeedError);
    }));
});
