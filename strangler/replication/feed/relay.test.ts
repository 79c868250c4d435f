import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../../tests/support/index.ts';
import { openSides } from '../../sides/sides.ts';
import { shop } from '../../../tests/strangler/support/shop.ts';
import { withSides } from '../../../tests/strangler/support/sides.ts';
import type { FeedReader } from '../../sides/side-database.ts';
import type { Slice } from '../../ledger/store.ts';
import { Relay } from './relay.ts';

/** What the relay may be ahead of the applier. */
const MOST_AHEAD = 20_000;

/** A feed of so many changes, in a file of its own, and the position before them. */
function withFeed(
  changes: number,
  work: (feed: FeedReader, begin: number) => Promise<void>,
): Promise<void> {
  return withSides(async (sides) => {
    const databases = openSides(shop, sides.urls);
    try {
      await databases.legacy.install();
      const begin = await databases.legacy.feed.last();
      sides.legacy
        .exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${changes})
        INSERT INTO STOCK SELECT 'k' || i, i, 0, NULL FROM n`);
      await work(databases.legacy.feed, begin);
    } finally {
      for (const database of Object.values(databases)) await database.close();
    }
  });
}

describe('the relay', () => {
  it.each([100, 500])(
    'stops one slice of %d beyond what it may be ahead, and goes on when the applier does',
    (limit) =>
      withFeed(MOST_AHEAD + 5_000, async (feed, begin) => {
        const published: Slice[] = [];
        let applied = begin;
        let looks = 0;
        const relay = new Relay({
          feed,
          limit: () => limit,
          applied: () => {
            looks += 1;
            return applied;
          },
          publish: async (slice) => void published.push(slice),
        });
        relay.start(begin);
        await eventually(() => expect(relay.sent - begin).toBe(MOST_AHEAD + limit));
        const seen = looks;
        await eventually(() => {
          relay.kick();
          return looks > seen + 2;
        });
        expect(published).toHaveLength(MOST_AHEAD / limit + 1);

        applied += limit;
        relay.kick();
        await eventually(() => expect(relay.sent - begin).toBe(MOST_AHEAD + 2 * limit));
        expect(published.map(({ after }) => after)).toEqual(
          published.map((_, index) => begin + index * limit),
        );
        await relay.stop();
      }),
  );

  it('gives a Redis that does not answer one slice, and the next when it has', () =>
    withFeed(1_000, async (feed, begin) => {
      const asked: { readonly slice: Slice; answer(): void }[] = [];
      let looks = 0;
      const relay = new Relay({
        feed,
        limit: () => 500,
        applied: () => {
          looks += 1;
          return begin;
        },
        publish: (slice) => new Promise<void>((answer) => asked.push({ slice, answer })),
      });
      relay.start(begin);
      await eventually(() => !relay.working);
      const seen = looks;
      await eventually(() => {
        relay.kick();
        return looks > seen + 1;
      });
      expect(asked).toHaveLength(1);
      expect(relay.working).toBe(false);

      asked[0]?.answer();
      await eventually(() => {
        relay.kick();
        return asked.length === 2;
      });
      // What Redis took late is not sent again.
      expect(asked[1]?.slice.after).toBe(asked[0]?.slice.upto);
      asked[1]?.answer();
      await eventually(() => relay.working);
      expect(relay.sent).toBe(await feed.last());
      await relay.stop();
    }));
});
