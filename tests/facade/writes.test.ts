import { describe, expect, it } from '@jest/globals';
import { request as send } from 'undici';
import { eventually, request } from '../support/index.ts';
import { holds, pushedNews, status } from './pushed-news.ts';
import { fenced, json, routingState, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

const { publish, withPushedNews } = pushedNews();

function write(
  { url }: Stand,
  body: unknown = { n: 1 },
  headers: Record<string, string> = {},
): ReturnType<typeof request> {
  return request('POST', `${url}/api/stock`, { body, headers });
}

/** A side that accepts writes. */
function accept(side: Stand['legacy'], name: string): void {
  side.answer = (_req, res) => json(res, 201, { from: name });
}

describe('a write', () => {
  it('goes to the owner that the engine names, as soon as it does', () =>
    withPushedNews(async (stand) => {
      accept(stand.extracted, 'extracted');
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
      await eventually(async () => (await status(stand)).capabilities[0].owner === 'extracted');
      expect((await write(stand)).body).toEqual({ from: 'extracted' });
      expect(stand.legacy.received).toHaveLength(0);
    }));

  it('that meets a ceded fence goes to the other side at once, the same in every byte', () =>
    withPushedNews(async (stand) => {
      stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'ceded', 2);
      accept(stand.extracted, 'extracted');
      expect(await write(stand)).toMatchObject({ status: 201, body: { from: 'extracted' } });
      const [first] = stand.legacy.received;
      const [second] = stand.extracted.received;
      expect(second?.body).toBe(first?.body);
      for (const name of ['idempotency-key', 'x-fig-attempt']) {
        expect(first?.headers[name]).toBeDefined();
        expect(second?.headers[name]).toBe(first?.headers[name]);
      }
      await write(stand);
      expect(stand.legacy.received).toHaveLength(1);
      expect(await holds(stand)).toMatchObject([{ capability: 'stock', epoch: 2 }]);
    }));

  it('that meets a closed fence waits for news, and goes where they say', () =>
    withPushedNews(async (stand) => {
      stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
      stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
      const answer = write(stand);
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      accept(stand.extracted, 'extracted');
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }));
      expect(await answer).toMatchObject({ status: 201, body: { from: 'extracted' } });
    }));

  it('is not slowed by news that overtook the fence', () =>
    withPushedNews(async (stand) => {
      accept(stand.extracted, 'extracted');
      stand.legacy.answer = (_req, res) => {
        // The news arrive while the write is at a side that has just given up.
        void publish(stand, routingState('stock', { owner: 'extracted', epoch: 2 }));
        void eventually(async () => (await status(stand)).capabilities[0].epoch === 2).then(() =>
          fenced(res, 'stock', 'closed', 2),
        );
      };
      expect(await write(stand)).toMatchObject({ status: 201, body: { from: 'extracted' } });
      expect(stand.legacy.received).toHaveLength(1);
      expect(stand.extracted.received).toHaveLength(1);
    }));

  it('finds the owner without any news', () =>
    withPushedNews(async (stand) => {
      let turnedAway = 0;
      stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
      stand.extracted.answer = (_req, res) => {
        turnedAway += 1;
        if (turnedAway < 4) fenced(res, 'stock', 'closed', 0);
        else json(res, 201, { from: 'extracted' });
      };
      expect(await write(stand)).toMatchObject({ status: 201, body: { from: 'extracted' } });
      expect((await status(stand)).capabilities[0]).toMatchObject({
        owner: 'extracted',
        holding: false,
        epoch: 2,
      });
    }));

  it('finds a source that has opened again after an aborted handover', () =>
    withPushedNews(async (stand) => {
      let turnedAway = 0;
      stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
      stand.legacy.answer = (_req, res) => {
        turnedAway += 1;
        if (turnedAway < 3) fenced(res, 'stock', 'closed', 2);
        else json(res, 201, { from: 'legacy' });
      };
      expect(await write(stand)).toMatchObject({ status: 201, body: { from: 'legacy' } });
      expect((await status(stand)).capabilities[0]).toMatchObject({
        owner: 'legacy',
        holding: false,
      });
    }));

  it('waits while the engine asks to hold, all at once and released in order', () =>
    withPushedNews(async (stand) => {
      accept(stand.extracted, 'extracted');
      await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      const answers = Array.from({ length: 150 }, (_, n) => write(stand, { n }));
      await eventually(async () => (await status(stand)).capabilities[0].heldNow > 0);
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }));
      for (const answer of await Promise.all(answers)) expect(answer.status).toBe(201);
      expect(stand.legacy.received).toHaveLength(0);
      expect(stand.extracted.received).toHaveLength(150);
      expect((await holds(stand)).length).toBeGreaterThan(0);
    }));

  it('is released with at most 64 others at a time, and none is left behind', () =>
    withPushedNews(
      async (stand) => {
        const open: (() => void)[] = [];
        let most = 0;
        stand.extracted.answer = (_req, res) => {
          open.push(() => json(res, 201, { from: 'extracted' }));
          most = Math.max(most, open.length);
        };
        await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
        await eventually(async () => (await status(stand)).capabilities[0].holding);
        const answers = Array.from({ length: 200 }, (_, n) => write(stand, { n }));
        await eventually(async () => (await status(stand)).capabilities[0].heldNow === 200);
        const moved = { owner: 'extracted', epoch: 2, generation: 2 } as const;
        await publish(stand, routingState('stock', moved));
        for (let left = 200; left > 0; left -= 64) {
          await eventually(() => expect(open).toHaveLength(Math.min(64, left)));
          for (const answer of open.splice(0)) answer();
        }
        for (const answer of await Promise.all(answers)) expect(answer.status).toBe(201);
        expect(most).toBe(64);
      },
      // Held for as long as it takes: otherwise the fence would be asked after a moment.
      { drainFirst: ['legacy'] },
    ));

  it('to a route that touches a capability waits with it', () =>
    withPushedNews(async (stand) => {
      await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      const order = request('POST', `${stand.url}/api/orders`, { body: {} });
      await eventually(async () => (await status(stand)).capabilities[0].heldNow === 1);
      expect(stand.monolith.received).toHaveLength(0);
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }));
      expect((await order).body).toEqual({ from: 'monolith' });
      expect(await holds(stand)).toMatchObject([{ capability: 'stock', epoch: 2 }]);
    }));

  it('asks the fence itself when the request to hold is followed by nothing', () =>
    withPushedNews(async (stand) => {
      accept(stand.legacy, 'legacy');
      await publish(stand, routingState('stock', { epoch: 2, holding: true }));
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      expect(await write(stand)).toMatchObject({ status: 201, body: { from: 'legacy' } });
      expect((await status(stand)).capabilities[0].holding).toBe(false);
    }));

  it('is given up when its deadline comes first, which is no upstream that did not answer', () =>
    withPushedNews(
      async (stand) => {
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
        stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
        expect(await write(stand)).toMatchObject({
          status: 503,
          headers: { 'retry-after': '1' },
          body: { code: 'held_too_long' },
        });
      },
      { limits: { requestMs: 400, holdMs: 60_000 } },
    ));

  it('is given up when the hold budget is spent, and nothing has happened', () =>
    withPushedNews(
      async (stand) => {
        stand.legacy.answer = (_req, res) => fenced(res, 'stock', 'closed', 2);
        stand.extracted.answer = (_req, res) => fenced(res, 'stock', 'closed', 0);
        const answer = await write(stand);
        expect(answer).toMatchObject({
          status: 503,
          headers: { 'retry-after': '1' },
          body: { code: 'held_too_long', traceId: expect.any(String) },
        });
        expect(await holds(stand)).toEqual([]);
      },
      { limits: { holdMs: 120 } },
    ));

  it('is refused at once when too many are held', () =>
    withPushedNews(
      async (stand) => {
        await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
        await eventually(async () => (await status(stand)).capabilities[0].holding);
        accept(stand.legacy, 'legacy');
        const answers = await Promise.all([write(stand), write(stand), write(stand)]);
        const refused = answers.filter((answer) => answer.status === 503);
        expect(refused).toHaveLength(2);
        expect(refused[0]?.body).toMatchObject({ code: 'too_many_held' });
        expect(stand.legacy.received).toHaveLength(1);
      },
      { limits: { heldWrites: 1 } },
    ));

  it('is refused at once when those that are held are too large together', () =>
    withPushedNews(
      async (stand) => {
        await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
        await eventually(async () => (await status(stand)).capabilities[0].holding);
        accept(stand.legacy, 'legacy');
        const large = { text: 'x'.repeat(600) };
        const answers = await Promise.all([write(stand, large), write(stand, large)]);
        expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
        expect(answers.find((answer) => answer.status === 503)?.body).toMatchObject({
          code: 'too_many_held',
        });
        // What was held is given back: the next handover holds as much again.
        expect((await write(stand, large)).status).toBe(201);
        expect(stand.legacy.received).toHaveLength(2);
      },
      { limits: { heldBytes: 1_000, bodyBytes: 1_000 } },
    ));

  it('of a client that left while it was held is dropped', () =>
    withPushedNews(async (stand) => {
      accept(stand.extracted, 'extracted');
      await publish(stand, routingState('stock', { owner: null, epoch: 2, holding: true }));
      await eventually(async () => (await status(stand)).capabilities[0].holding);
      const leaving = new AbortController();
      const left = send(`${stand.url}/api/stock`, {
        method: 'POST',
        body: '{}',
        signal: leaving.signal,
      });
      await eventually(async () => (await status(stand)).capabilities[0].heldNow === 1);
      leaving.abort();
      await expect(left).rejects.toThrow('abort');
      await eventually(async () => (await status(stand)).capabilities[0].heldNow === 0);
      await publish(stand, routingState('stock', { owner: 'extracted', epoch: 2, generation: 2 }));
      expect((await write(stand, { n: 2 })).status).toBe(201);
      expect(stand.legacy.received).toHaveLength(0);
      expect(stand.extracted.received.map((each) => each.body)).toEqual(['{"n":2}']);
    }));

  it('to a route that touches a capability is sent again when a fence cut it', () =>
    withPushedNews(async (stand) => {
      let turnedAway = 0;
      stand.monolith.answer = (_req, res) => {
        turnedAway += 1;
        if (turnedAway < 3) fenced(res, 'stock', 'closed', 2);
        else json(res, 201, { from: 'monolith' });
      };
      const answer = await request('POST', `${stand.url}/api/orders`, { body: {} });
      expect(answer).toMatchObject({ status: 201, body: { from: 'monolith' } });
      const attempts = stand.monolith.received.map((each) => each.headers['x-fig-attempt']);
      expect(new Set(attempts).size).toBe(1);
    }));

  it('passes on a 421 that is no fence', () =>
    withPushedNews(async (stand) => {
      stand.legacy.answer = (_req, res) => json(res, 421, { code: 'misdirected' });
      expect(await write(stand)).toMatchObject({ status: 421, body: { code: 'misdirected' } });
      expect(stand.legacy.received).toHaveLength(1);
    }));
});

describe('without Redis', () => {
  it('asks the engine every second', () =>
    withStand({}, async (stand) => {
      stand.routing.set('stock', routingState('stock', { owner: 'extracted', epoch: 2 }));
      await eventually(async () => (await status(stand)).capabilities[0].owner === 'extracted');
    }));
});
