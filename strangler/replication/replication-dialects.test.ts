import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createLog } from '../../chassis/index.ts';
import { eventually, inSoak, withRedis } from '../../tests/support/index.ts';
import { Replication } from './replication.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { openSides } from '../sides/sides.ts';
import { portableEvents } from '../../tests/strangler/support/history.ts';
import type { Event } from '../../tests/strangler/support/history.ts';
import { pairings, withOwners } from '../../tests/strangler/support/owners.ts';
import type { Owners } from '../../tests/strangler/support/owners.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const [EARLY, LATE] = ['2026-01-01 00:00:00.000', '2026-01-02 00:00:00.000'];

async function startReplication({ urls }: Owners, redisUrl: string): Promise<Replication> {
  const log = createLog('test', 'silent');
  const replication = new Replication({
    mapping: shop,
    databases: openSides(shop, urls),
    redisUrl,
    log,
  });
  await replication.install();
  await replication.start();
  return replication;
}

function bulk(rows: number): Event {
  return Array.from({ length: rows }, (_, index): Event => {
    const key = `bulk${index}`;
    const [state = ''] = ['P', 'S', 'D'].slice(index % 3);
    return [
      ['INSERT INTO STOCK VALUES (?, ?, ?, NULL)', key, index, index % 5 === 0 ? 0 : index],
      [
        'INSERT INTO PAY VALUES (?, ?, ?, ?, ?)',
        key,
        `${index}.05`,
        state,
        EARLY,
        state === 'P' ? EARLY : LATE,
      ],
      ['INSERT INTO RFND VALUES (?, ?, ?, ?, ?, ?)', key, key, '1.00', 'P', EARLY, EARLY],
    ];
  }).flat();
}

/** Lets random things happen at an owner, one after the other, while `work` runs. */
async function withTraffic<T>(
  { writers }: Owners,
  side: SideName,
  seed: number,
  work: () => Promise<T>,
): Promise<T> {
  const stream = fc.sample(portableEvents[side], { seed, numRuns: 300 });
  const traffic = { on: true };
  const writing = (async () => {
    for (let count = 0; traffic.on; count += 1) {
      const event = stream[count % stream.length];
      if (event) await writers[side].happen(event);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  try {
    return await work();
  } finally {
    traffic.on = false;
    await writing;
  }
}

async function handOver(replication: Replication, from: SideName): Promise<void> {
  const [source, target] = [replication.store(from), replication.store(otherSide(from))];
  const lease = await source.acquireLease('test', 10_000);
  if (lease === null) throw new Error('no lease');
  const open = await source.fence();
  const closed = { state: 'closed', epoch: open.epoch + 1 } as const;
  const step = { handover: 'h', step: 'x', detail: null };
  expect(await source.step(step, lease, { from: open, to: closed })).toBe(true);
  await replication.drainTo((await replication.status()).feed.last);
  const ceded = { ...closed, state: 'ceded' } as const;
  expect(await source.step(step, lease, { from: closed, to: ceded })).toBe(true);
  expect(await target.openAsTarget(closed.epoch)).toBe(true);
  await replication.ownerChanged();
}

async function expectEqual({ writers }: Owners): Promise<void> {
  expect(await writers.extracted.content()).toEqual(await writers.legacy.content());
}

/** One row gone, one too many, one different. */
async function damage({ writers }: Owners): Promise<void> {
  await writers.extracted.asApplier(`DELETE FROM payments WHERE id = 'bulk7'`);
  await writers.extracted.asApplier(`INSERT INTO levels VALUES ('nobody', 1, NULL)`);
  await writers.extracted.asApplier(`UPDATE holds SET reserved = 77 WHERE sku = 'bulk8'`);
}

describe.each(inSoak(pairings, pairings.slice(0, 1)))(
  'a replication from $legacy to $extracted',
  (pairing) => {
    it('copies, follows, compares and mends while both sides are in use, and turns around', () =>
      withRedis((redis) =>
        withOwners(pairing, async (owners) => {
          await owners.writers.legacy.happen(bulk(400));
          let replication = await startReplication(owners, redis.url);
          try {
            await withTraffic(owners, 'legacy', 7, async () => {
              const cut = replication.backfill().catch(() => undefined);
              await eventually(async () => (await replication.status()).backfill.rows > 0, {
                intervalMs: 1,
              });
              await replication.stop();
              await cut;
              replication = await startReplication(owners, redis.url);
              await replication.backfill();
              for (let round = 0; round < 3; round += 1) {
                expect(await replication.reconcile()).toMatchObject({ clean: true, rows: [] });
              }
            });
            await replication.barrier(20_000);
            await expectEqual(owners);
            await damage(owners);
            const { rows } = await replication.reconcile();
            expect(rows.map(({ pair, kind, key }) => [pair, kind, key])).toEqual([
              ['levels', 'extra', ['nobody']],
              ['holds', 'different', ['bulk8']],
              ['payments', 'missing', ['bulk7']],
            ]);
            await replication.repair();
            expect(await replication.reconcile()).toMatchObject({ clean: true, rows: [] });
            await handOver(replication, 'legacy');
            await withTraffic(owners, 'extracted', 8, () =>
              replication.backfill({ restart: true }),
            );
            await replication.barrier(20_000);
            await expectEqual(owners);
            await handOver(replication, 'extracted');
            await expectEqual(owners);
          } finally {
            await replication.stop();
          }
        }),
      ));
  },
);
