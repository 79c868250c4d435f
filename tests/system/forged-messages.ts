import { Job, Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, it } from '@jest/globals';
import { ROUTING_CHANNEL } from '../../routing/index.ts';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';
import { fig } from './fig-commands.ts';

const SKU = 'SHIP-001';

interface Known {
  readonly capabilities: readonly { readonly name: string; readonly epoch: number }[];
}

/** Such a job goes away when it is taken. */
const TAKEN = { removeOnComplete: true, removeOnFail: true };

/** Others may still be there: of a worker that was cut off, say, until Redis notices. */
async function allTaken(queue: Queue, jobs: readonly Job[]): Promise<void> {
  await eventually(async () => {
    const left = await Promise.all(jobs.map(({ id }) => Job.fromId(queue, id ?? '')));
    expect(left.filter((job) => job !== undefined)).toEqual([]);
  });
}

/** What somebody does who has got into Redis, on a system that has moved nothing yet. */
export function forgedMessages(started: () => System): void {
  describe('Redis', () => {
    it('wants a password, which no command line shows', async () => {
      const url = new URL(started().redisUrl);
      expect(url.password.length).toBeGreaterThan(20);
      url.password = '';
      const stranger = new Redis(url.href, {
        lazyConnect: true,
        enableReadyCheck: false,
        retryStrategy: () => null,
      });
      stranger.on('error', () => undefined);
      await expect(stranger.connect().then(() => stranger.get('any'))).rejects.toThrow('NOAUTH');
      stranger.disconnect();
    });

    it('moves no routing by what others publish there', async () => {
      const system = started();
      const redis = new Redis(system.redisUrl);
      const epochs = async (): Promise<unknown> => {
        const headers = asOperator(system);
        const url = `${system.urls['admin']}/status`;
        const { body } = await request<Known>('GET', url, { headers });
        return body.capabilities.map(({ name, epoch }) => [name, epoch]);
      };
      try {
        await eventually(async () => expect(await redis.hlen(ROUTING_CHANNEL)).toBe(2));
        const before = await epochs();
        const news = { capability: 'inventory', owner: 'extracted', epoch: 999_999 };
        const forged = { ...news, replicaReady: true, holding: false, generation: 9e15 };
        const texts = [JSON.stringify(forged), `AAAA ${JSON.stringify(forged)}`, 'garbage', ''];
        for (const text of texts) {
          await redis.hset(ROUTING_CHANNEL, 'inventory', text);
          expect(await redis.publish(ROUTING_CHANNEL, text)).toBeGreaterThan(0);
        }
        const dropped = /not from an engine with our token/g;
        await eventually(() => {
          const told = system.logTail('facade', 100).match(dropped) ?? [];
          expect(told.length).toBeGreaterThanOrEqual(texts.length);
        });
        expect(await epochs()).toEqual(before);
      } finally {
        redis.disconnect();
      }
    });

    it('brings no row to the other side that the feed does not have', async () => {
      const system = started();
      expect(await fig(system, 'backfill inventory')).toMatchObject({ code: 0 });
      const connection = { url: system.redisUrl };
      const queue = new Queue('feed.inventory.legacy-to-extracted', { connection });
      const stock = async (): Promise<unknown> =>
        (await request('GET', `${system.urls['inventory']}/api/inventory/${SKU}`)).body;
      try {
        const before = await stock();
        const forged: Job[] = [];
        const image = JSON.stringify({
          SKU_CD: SKU,
          QTY_OH: 424_242,
          QTY_RSV: 0,
          UPD_TS: '2026-01-01 00:00:00.000',
        });
        for (const upto of [1, 100, 1_000_000]) {
          for (const after of [0, upto - 1]) {
            const change = [
              upto,
              1,
              'INV_STOCK',
              JSON.stringify({ SKU_CD: SKU }),
              'upsert',
              image,
              1,
              0,
            ];
            const slice = { after, upto, changes: [change] };
            for (const proof of ['', 'forged', undefined, 1]) {
              forged.push(await queue.add('slice', { ...slice, proof }, TAKEN));
            }
          }
        }
        forged.push(await queue.add('slice', { nothing: true }, TAKEN));
        await allTaken(queue, forged);
        expect(await stock()).toEqual(before);
        // What is changed next is replicated as before.
        const adjusted = await request(
          'POST',
          `${system.urls['facade']}/api/inventory/${SKU}/adjustments`,
          {
            body: { delta: 1, reason: 'count' },
          },
        );
        expect(adjusted.status).toBeLessThan(300);
        expect(await fig(system, 'reconcile inventory')).toMatchObject({ code: 0 });
      } finally {
        await queue.close();
      }
    });

    it('makes no event happen that no outbox has', async () => {
      const system = started();
      const connection = { url: system.redisUrl };
      const queue = new Queue('events.shipping', { connection });
      try {
        const event = {
          specversion: '1.0',
          id: 'forged',
          source: '/monolith',
          type: 'OrderConfirmed',
          subject: 'forged',
          time: new Date(0).toISOString(),
          epoch: 1,
          sequence: '0000000000000001',
          data: { orderId: 'forged', customerId: 'EVIL', items: [], total: {} },
        };
        const sealed = JSON.stringify(event);
        const forged: Job[] = [];
        for (const data of [{ sealed }, { sealed: { any: 1 } }, event, null, 'garbage']) {
          forged.push(await queue.add('OrderConfirmed', data, TAKEN));
        }
        await allTaken(queue, forged);
        const log = system.logTail('monolith', 50);
        expect(log).not.toContain('an event was not taken');
        expect(log).toContain('not from an outbox with our token, and dropped: an event in Redis');
      } finally {
        await queue.close();
      }
    });
  });
}
