import { describe, expect, it } from '@jest/globals';
import type { Pair } from '../../mapping/index.ts';
import type { ChangedKey, SideDatabase, Snapshot } from '../../sides/side-database.ts';
import { dialectsOfRun } from '../../../tests/support/index.ts';
import { withMoved } from '../../../tests/strangler/support/moving.ts';
import { oneTable } from '../../../tests/strangler/support/one-table.ts';
import { ChangedKeys } from './changed-keys.ts';
import { reconcile } from './reconcile.ts';

const WORD = 'CREATE TABLE word (k INTEGER PRIMARY KEY, v TEXT)';
const words = oneTable({ capability: 'words', table: 'word', columns: ['v'] });
/** Three chunks of a comparison, and a few rows. */
const ROWS = 420;

/** Counts the changes that snapshots of a side read from its feed. */
function counting(side: SideDatabase): { readonly read: () => number } {
  let read = 0;
  const snapshot = side.snapshot.bind(side);
  side.snapshot = (work) => snapshot((seen) => work(counted(seen, (more) => (read += more))));
  return { read: () => read };
}

function counted(seen: Snapshot, count: (more: number) => void): Snapshot {
  return new Proxy(seen, {
    get(target, property) {
      if (property === 'changedSince') {
        return async (...given: Parameters<Snapshot['changedSince']>) => {
          const changes = await target.changedSince(...given);
          count(changes.length);
          return changes;
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe.each(dialectsOfRun)('comparing behind a feed that lags on %s', (dialect) => {
  it('reads each change once, however many chunks differ', () =>
    withMoved(
      { mapping: words, legacy: [dialect, WORD], extracted: [dialect, WORD] },
      async ({ replication, sessions, databases }) => {
        const all = Array.from({ length: ROWS }, (_unused, k) => `(${k}, 'first')`);
        await sessions.legacy.run(`INSERT INTO word VALUES ${all.join(', ')}`);
        await replication.barrier(20_000);
        await replication.halt();
        await sessions.legacy.run("UPDATE word SET v = 'second'");
        // A difference that is in no feed is found among them.
        await sessions.extracted.run("UPDATE fig_fence SET state = 'open', epoch = 1");
        await sessions.extracted.run("UPDATE word SET v = 'odd' WHERE k = 300");
        await sessions.extracted.run("UPDATE fig_fence SET state = 'closed', epoch = 0");
        const { read } = counting(databases.legacy);
        const report = await reconcile({
          mapping: words,
          source: databases.legacy,
          target: databases.extracted,
          signal: new AbortController().signal,
          applied: () => Promise.resolve(),
        });
        expect(report.pairs).toEqual([
          { pair: 'word', rows: ROWS, missing: 0, extra: 0, different: 1, unsettled: 0 },
        ]);
        expect(read()).toBe(ROWS);
      },
    ));
});

describe('the keys that have changed', () => {
  const [pair] = words.pairs;
  const at = (k: number, position: number | null, epoch = 1): ChangedKey => ({
    key: [k],
    position,
    epoch,
  });

  /** A moment of a feed; says from where on it was read. */
  function moment(
    changes: readonly ChangedKey[],
    read: number[],
  ): Parameters<ChangedKeys['since']>[0] {
    const positions = changes.map(({ position }) => position ?? 0);
    return {
      last: () => Promise.resolve(Math.max(0, ...positions)),
      changedSince: (_pair, after) => {
        read.push(after);
        return Promise.resolve(
          changes.filter(({ position }) => position === null || position > after),
        );
      },
    };
  }

  it('are read on from the last look, and only those count that are not applied', async () => {
    const changed = new ChangedKeys(pair as Pair);
    const read: number[] = [];
    const feed = [at(1, 11), at(2, 12), at(1, 13, 2)];
    const first = await changed.since(moment(feed, read), 10);
    expect([1, 2, 3].map((k) => first([k]))).toEqual([2, 1, undefined]);
    const second = await changed.since(moment([...feed, at(3, 14)], read), 12);
    expect([1, 2, 3].map((k) => second([k]))).toEqual([2, undefined, 1]);
    expect(read).toEqual([10, 13]);
  });

  it('are seen before they have a position, and again once they have', async () => {
    const changed = new ChangedKeys(pair as Pair);
    const feed = [at(1, 11)];
    const first = await changed.since(moment([...feed, at(2, null, 3)], []), 10);
    expect(first([2])).toBe(3);
    expect((await changed.since(moment(feed, []), 10))([2])).toBeUndefined();
    const second = await changed.since(moment([...feed, at(2, 12, 3)], []), 10);
    expect(second([2])).toBe(3);
  });

  it('are read anew where the target is further than the last look, or further back', async () => {
    const changed = new ChangedKeys(pair as Pair);
    const read: number[] = [];
    const feed = [at(1, 11), at(2, 25)];
    await changed.since(moment(feed.slice(0, 1), read), 10);
    const ahead = await changed.since(moment(feed, read), 20);
    expect([1, 2].map((k) => ahead([k]))).toEqual([undefined, 1]);
    const back = await changed.since(moment(feed, read), 5);
    expect([1, 2].map((k) => back([k]))).toEqual([1, 1]);
    expect(read).toEqual([10, 20, 5]);
  });
});
