import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, request } from '../support/index.ts';
import { fenced, json, routingState, startFixture, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

type Side = 'legacy' | 'extracted';

/**
 * Two sides of a counter for each customer, one of them a replica that lags behind the other, and
 * an engine that answers barriers by what has really been applied.
 */
class LaggingPair {
  owner: Side | null = 'legacy';
  epoch = 1;
  readonly #counters = { legacy: new Map<string, number>(), extracted: new Map<string, number>() };
  readonly #feed: { at: number; customer: string; count: number }[] = [];
  readonly #lagMs: number;
  #applied = 0;
  #barrierWaiters: { position: number; resolve: () => void }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(stand: Stand, lagMs: number) {
    this.#lagMs = lagMs;
    this.#serve(stand.legacy, 'legacy');
    this.#serve(stand.extracted, 'extracted');
    const told = stand.engine.answer;
    stand.engine.answer = (req, res, body) => {
      if (req.url === '/barrier/stock') void this.barrier().then(() => json(res, 200, {}));
      else told(req, res, body);
    };
    this.#timer = setInterval(() => this.apply(performance.now() - lagMs), 2);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #serve(fixture: Fixture, side: Side): void {
    const counters = this.#counters[side];
    fixture.answer = (req, res) => {
      const customer = String(req.headers['x-customer-id']);
      if (req.method === 'GET') {
        json(res, 200, { count: counters.get(customer) ?? 0, side });
      } else if (this.owner === side) {
        const count = (counters.get(customer) ?? 0) + 1;
        counters.set(customer, count);
        this.#feed.push({ at: performance.now(), customer, count });
        json(res, 201, { count });
      } else {
        const state = this.owner === null || side === 'extracted' ? 'closed' : 'ceded';
        fenced(res, 'stock', state, this.epoch);
      }
    };
  }

  /** Applies what was written up to `until` on the other side. */
  apply(until: number): void {
    const target = this.owner === 'extracted' ? 'legacy' : 'extracted';
    while (this.#applied < this.#feed.length) {
      const change = this.#feed[this.#applied];
      if (!change || change.at > until) break;
      this.#counters[target].set(change.customer, change.count);
      this.#applied += 1;
    }
    this.#barrierWaiters = this.#barrierWaiters.filter(({ position, resolve }) => {
      if (position > this.#applied) return true;
      resolve();
      return false;
    });
  }

  barrier(): Promise<void> {
    const position = this.#feed.length;
    return new Promise((resolve) => {
      this.#barrierWaiters.push({ position, resolve });
    });
  }

  /** Moves ownership: closed, drained, and open on the other side. */
  async handOver(): Promise<void> {
    this.owner = null;
    this.epoch += 1;
    await delay(this.#lagMs);
    this.apply(Number.POSITIVE_INFINITY);
    this.owner = 'extracted';
  }
}

/** @param readMs how long each round reads at least: what lags less catches up meanwhile */
async function shop(stand: Stand, customer: string, rounds: number, readMs = 0): Promise<string[]> {
  const headers = { 'x-customer-id': customer };
  const sides: string[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const written = await request('POST', `${stand.url}/api/stock`, { body: {}, headers });
    expect(written).toMatchObject({ status: 201, body: { count: round } });
    const until = performance.now() + readMs;
    for (let reads = 0; reads < 3 || performance.now() < until; reads += 1) {
      const seen = await request<{ count: number; side: string }>('GET', `${stand.url}/api/stock`, {
        headers,
      });
      expect(seen.body.count).toBeGreaterThanOrEqual(round);
      sides.push(seen.body.side);
    }
  }
  return sides;
}

describe('a client never sees less than its own write', () => {
  it('while the other side lags, and gets to read there once it has caught up', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.reads': 100 });
      const pair = new LaggingPair(stand, 40);
      try {
        const customers = Array.from({ length: 10 }, (_, index) => `C${index}`);
        const sides = await Promise.all(customers.map((each) => shop(stand, each, 15)));
        expect(sides.flat()).toContain('legacy');
        const headers = { 'x-customer-id': 'C1' };
        await eventually(async () => {
          const answer = await request('GET', `${stand.url}/api/stock`, { headers });
          expect(answer.body).toEqual({ count: 15, side: 'extracted' });
        });
      } finally {
        pair.stop();
      }
    }));

  it('while ownership moves and nobody has told the facade', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.reads': 50 });
      const pair = new LaggingPair(stand, 30);
      try {
        const customers = Array.from({ length: 10 }, (_, index) => `C${index}`);
        const shopping = Promise.all(customers.map((each) => shop(stand, each, 12, 120)));
        await eventually(() => stand.extracted.received.length > 0);
        await pair.handOver();
        const sides = (await shopping).flat();
        expect(sides).toContain('legacy');
        expect(sides).toContain('extracted');
      } finally {
        pair.stop();
      }
    }));

  it('through a route whose writes a new owner does unseen', () =>
    withStand({}, async (stand) => {
      const pair = new LaggingPair(stand, 50);
      const { answer } = stand.extracted;
      // The monolith takes the order to whoever owns the stock.
      stand.monolith.answer = (req, res, body) =>
        (pair.owner === 'extracted' ? answer : stand.legacy.answer)(req, res, body);
      try {
        const headers = { 'x-customer-id': 'C1' };
        const order = (): Promise<unknown> =>
          request('POST', `${stand.url}/api/orders`, { body: {}, headers });
        await order();
        await pair.handOver();
        stand.routing.set('stock', routingState('stock', { owner: 'extracted', epoch: 2 }));
        await order();
        const seen = await request('GET', `${stand.url}/api/stock`, { headers });
        expect(seen.body).toEqual({ count: 2, side: 'extracted' });
      } finally {
        pair.stop();
      }
    }));

  it('nor before the first barrier of a new facade, whoever asks', () =>
    withStand({ routing: { replicaReady: false } }, async (stand) => {
      await stand.flags({ 'stock.reads': 100 });
      const read = async (): Promise<unknown> =>
        (await request('GET', `${stand.url}/api/stock`, { headers: { 'x-customer-id': 'C1' } }))
          .body;
      expect(await read()).toEqual({ from: 'legacy' });
      let letPass: (() => void) | undefined;
      const told = stand.engine.answer;
      stand.engine.answer = (req, res, body) => {
        if (req.url === '/barrier/stock') letPass = () => json(res, 200, {});
        else told(req, res, body);
      };
      stand.routing.set('stock', routingState('stock', { generation: 2 }));
      await eventually(() => stand.engine.received.some(({ url }) => url === '/barrier/stock'));
      expect(await read()).toEqual({ from: 'legacy' });
      letPass?.();
      await eventually(async () => expect(await read()).toEqual({ from: 'extracted' }));
    }));

  it('but where the address leads to an engine that stands by, the one that leads is asked', () =>
    withStand({ routing: { replicaReady: false } }, async (stand) => {
      const leader = await startFixture('leader');
      try {
        await stand.flags({ 'stock.reads': 100 });
        const told = stand.engine.answer;
        stand.engine.answer = (req, res, body) => {
          if (req.url !== '/barrier/stock') return told(req, res, body);
          const code = 'engine_not_leading';
          json(res, 503, { code, standing: 'standby', leader: leader.url });
        };
        leader.answer = (_req, res) => json(res, 200, { position: 1 });
        stand.routing.set('stock', routingState('stock', { generation: 2 }));
        await eventually(async () => {
          const headers = { 'x-customer-id': 'C1' };
          const { body } = await request('GET', `${stand.url}/api/stock`, { headers });
          expect(body).toEqual({ from: 'extracted' });
        });
        const [first] = leader.received;
        expect(first).toMatchObject({ method: 'GET', url: '/barrier/stock' });
        expect(first?.headers['authorization']).toBe(
          stand.engine.received.find(({ url }) => url === '/barrier/stock')?.headers[
            'authorization'
          ],
        );
      } finally {
        await leader.close();
      }
    }));

  it('when a write broke off, since it may have been done', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.reads': 100 });
      const headers = { 'x-customer-id': 'C1' };
      const read = async (): Promise<unknown> =>
        (await request('GET', `${stand.url}/api/stock`, { headers })).body;
      await eventually(async () => expect(await read()).toEqual({ from: 'extracted' }));
      const told = stand.engine.answer;
      stand.engine.answer = (req, res, body) => {
        if (req.url !== '/barrier/stock') told(req, res, body);
      };
      stand.legacy.answer = (req, res) => {
        if (req.method === 'GET') json(res, 200, { from: 'legacy' });
        else res.destroy();
      };
      const broken = await request('POST', `${stand.url}/api/stock`, { body: {}, headers });
      expect(broken).toMatchObject({ status: 502, body: { code: 'upstream_unavailable' } });
      expect(await read()).toEqual({ from: 'legacy' });
    }));
});
