import { describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { request as send } from 'undici';
import { eventually, request } from '../support/index.ts';
import { json, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

interface Findings {
  compared: number;
  matched: number;
  mismatched: number;
  unsettled: number;
  errors: number;
  skipped: number;
  notCompared: Record<string, number>;
  mismatches: { path: string; differences: unknown[] }[];
}

async function findings({ adminUrl }: Stand): Promise<Findings> {
  const answer = await request<{ capabilities: [{ experiments: Findings }] }>(
    'GET',
    `${adminUrl}/status`,
  );
  return answer.body.capabilities[0].experiments;
}

/** Reads until both sides have been compared this often, while nothing but reads goes on. */
async function readUntil(stand: Stand, done: (found: Findings) => boolean): Promise<Findings> {
  await stand.flags({ 'stock.shadow': 100 });
  await eventually(async () => {
    await request('GET', `${stand.url}/api/stock/A1`);
    return done(await findings(stand));
  });
  await stand.flags({ 'stock.shadow': 0 });
  return findings(stand);
}

type Answer = Stand['legacy']['answer'];
const STOCK_TEXT = '{"sku":"A1","onHand":7}';

function encoded(coding: string | undefined, body: Buffer): Answer {
  return (_req, res) => {
    const encoding = coding === undefined ? {} : { 'content-encoding': coding };
    res.writeHead(200, { 'content-type': 'application/json', ...encoding }).end(body);
  };
}

function gzip(level: number, text = STOCK_TEXT): Answer {
  return encoded('gzip', gzipSync(text, { level }));
}

const plain = encoded(undefined, Buffer.from(STOCK_TEXT)) as (
  req: unknown,
  res: ServerResponse,
) => void;
const brotli = encoded('br', brotliCompressSync(STOCK_TEXT));

const total = ({ compared, errors }: Findings): boolean => compared + errors > 0;

describe('a shadowed read', () => {
  it('is answered by the owner and compared with the other side', () =>
    withStand({}, async (stand) => {
      stand.legacy.answer = (_req, res) => json(res, 200, { onHand: 7, sku: 'A1' });
      stand.extracted.answer = (_req, res) => json(res, 200, { sku: 'A1', onHand: 7 });
      const found = await readUntil(stand, total);
      expect(found).toMatchObject({ mismatched: 0, unsettled: 0, errors: 0 });
      expect(found.matched).toBeGreaterThan(0);
      expect(stand.extracted.received[0]?.headers['x-fig-shadow']).toBe('1');
    }));

  it('shows a difference with its path and both values', () =>
    withStand({}, async (stand) => {
      stand.legacy.answer = (_req, res) => json(res, 200, { items: [{ sku: 'A1', onHand: 7 }] });
      stand.extracted.answer = (_req, res) => json(res, 200, { items: [{ sku: 'A1', onHand: 8 }] });
      const found = await readUntil(stand, total);
      expect(found.mismatched).toBeGreaterThan(0);
      expect(found.mismatches[0]).toMatchObject({
        path: '/api/stock/A1',
        differences: [{ path: 'items.0.onHand', legacy: 7, extracted: 8 }],
      });
    }));

  it('does not count what was only on its way', () =>
    withStand({}, async (stand) => {
      let applied = false;
      const told = stand.engine.answer;
      stand.engine.answer = (req, res, body) => {
        if (req.url?.startsWith('/barrier')) applied = true;
        told(req, res, body);
      };
      // The barrier of a new facade has passed before anything is compared.
      await eventually(() => applied);
      applied = false;
      stand.legacy.answer = (_req, res) => json(res, 200, { onHand: 6 });
      stand.extracted.answer = (_req, res) => json(res, 200, { onHand: applied ? 6 : 7 });
      const found = await readUntil(stand, ({ compared }) => compared > 0);
      expect(found).toMatchObject({ mismatched: 0, unsettled: 0, errors: 0 });
    }));

  it('tells data that keeps changing from data that differs', () =>
    withStand({}, async (stand) => {
      let onHand = 0;
      stand.legacy.answer = (_req, res) => json(res, 200, { onHand: (onHand += 1) });
      stand.extracted.answer = (_req, res) => json(res, 200, { onHand: -1 });
      const found = await readUntil(stand, total);
      expect(found).toMatchObject({ mismatched: 0, matched: 0 });
      expect(found.unsettled).toBeGreaterThan(0);
    }));

  it('is not fooled by data that comes and goes', () =>
    withStand({}, async (stand) => {
      await stand.flags({ 'stock.shadow': 100 });
      const explained = `${stand.adminUrl}/explain?path=/api/stock/A1&customer=C1`;
      await eventually(async () =>
        expect((await request('GET', explained)).body).toMatchObject({
          shadow: { share: 100 },
          // No barrier but those of comparisons is to come.
          facts: [{ settled: true }],
        }),
      );
      // A stock is reserved while a barrier is under way, and released once somebody has seen that;
      // the other side has heard of the first only.
      let reserved = 0;
      let release: (() => void) | undefined;
      const told = stand.engine.answer;
      stand.engine.answer = (req, res, body) => {
        if (req.url === '/barrier/stock') {
          reserved = 1;
          release = () => told(req, res, body);
        } else {
          told(req, res, body);
        }
      };
      stand.legacy.answer = (_req, res) => {
        json(res, 200, { reserved });
        reserved = 0;
        release?.();
        release = undefined;
      };
      stand.extracted.answer = (_req, res) => json(res, 200, { reserved: 1 });
      for (let reads = 1; reads <= 3; reads += 1) {
        await request('GET', `${stand.url}/api/stock/A1`);
        await eventually(async () => (await findings(stand)).compared === reads);
      }
      expect(await findings(stand)).toMatchObject({ unsettled: 3, mismatched: 0, errors: 0 });
    }));

  it('leaves out what the configuration allows to differ', () => {
    const ignore = [{ path: 'items.*.seenAt', reason: 'the clock of whoever answers' }];
    const stock = {
      legacy: 'legacy',
      extracted: 'extracted',
      routes: ['/api/stock/*'],
      databases: { legacy: 'file:none', extracted: 'file:none' },
      ignore,
    };
    return withStand({ config: { capabilities: { stock } } }, async (stand) => {
      stand.legacy.answer = (_req, res) => json(res, 200, { items: [{ n: 1, seenAt: 'now' }] });
      stand.extracted.answer = (_req, res) => json(res, 200, { items: [{ n: 1, seenAt: 'then' }] });
      expect(await readUntil(stand, total)).toMatchObject({ mismatched: 0, errors: 0 });
    });
  });

  it('is not harmed by a candidate that fails or hangs', () =>
    withStand({}, async (stand) => {
      stand.extracted.answer = (_req, res) => res.destroy();
      expect((await readUntil(stand, total)).errors).toBeGreaterThan(0);
      stand.extracted.answer = () => undefined;
      await stand.flags({ 'stock.shadow': 100 });
      for (let n = 0; n < 50; n += 1) {
        expect((await request('GET', `${stand.url}/api/stock`)).body).toEqual({ from: 'legacy' });
      }
      expect((await findings(stand)).skipped).toBeGreaterThan(0);
    }));

  it('never sends a write or a HEAD to both sides, and counts the HEAD', () =>
    withStand({}, async (stand) => {
      await readUntil(stand, total);
      await stand.flags({ 'stock.shadow': 100 });
      stand.extracted.received.length = 0;
      await request('POST', `${stand.url}/api/stock`, { body: {} });
      await request('DELETE', `${stand.url}/api/stock/A1`);
      const { notCompared } = await findings(stand);
      expect(notCompared).not.toHaveProperty('method');
      await eventually(async () => {
        await request('HEAD', `${stand.url}/api/stock/A1`);
        expect((await findings(stand)).notCompared['method']).toBeGreaterThan(0);
      });
      expect(stand.extracted.received).toEqual([]);
    }));

  it.each([
    ['two levels of gzip', gzip(1), gzip(9)],
    ['gzip and nothing', gzip(9), plain],
    ['brotli and gzip', brotli, gzip(1)],
    ['another order of members, compressed', plain, gzip(9, '{ "onHand": 7.0, "sku": "A1" }')],
  ])('is compared by what was meant: %s', (_name, legacy, extracted) =>
    withStand({}, async (stand) => {
      stand.legacy.answer = legacy;
      stand.extracted.answer = extracted;
      const found = await readUntil(stand, total);
      expect(found).toMatchObject({ mismatched: 0, unsettled: 0, errors: 0, notCompared: {} });
      expect(found.matched).toBeGreaterThan(0);
    }),
  );

  it.each([
    ['a number of many digits', `[1${'0'.repeat(60_000)}1`],
    ['a long list, compressed', `[${'1,'.repeat(2_000_000)}1`],
  ])('keeps no client waiting while %s is compared', (_name, body) =>
    withStand({}, async (stand) => {
      stand.legacy.answer = gzip(1, `${body}]`);
      stand.extracted.answer = gzip(1, `${body} ]`);
      const started = performance.now();
      await readUntil(stand, ({ compared, skipped }) => compared + skipped > 0);
      expect(performance.now() - started).toBeLessThan(3_000);
    }),
  );

  it('is compared also where an answer without a body names the length of one', () =>
    withStand({}, async (stand) => {
      for (const side of [stand.legacy, stand.extracted]) {
        side.answer = (_req, res) =>
          res.socket?.write('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
      }
      expect(await readUntil(stand, total)).toMatchObject({ mismatched: 0, errors: 0 });
    }));

  it('shows a difference inside of what is compressed as any other', () =>
    withStand({}, async (stand) => {
      stand.legacy.answer = gzip(1);
      stand.extracted.answer = gzip(1, '{"sku":"A1","onHand":8}');
      const found = await readUntil(stand, total);
      expect(found.mismatches[0]?.differences).toEqual([
        { path: 'onHand', legacy: 7, extracted: 8 },
      ]);
    }));

  it('is compared without a condition, which each side would answer for itself', () =>
    withStand({}, async (stand) => {
      for (const side of [stand.legacy, stand.extracted]) {
        const etag = side === stand.legacy ? '"old"' : '"new"';
        side.answer = (req, res) => {
          if (req.headers['if-none-match'] === etag) res.writeHead(304, { etag }).end();
          else plain(req, res);
        };
      }
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        const answer = await send(`${stand.url}/api/stock/A1`, {
          headers: { 'if-none-match': '"old"' },
        });
        await answer.body.dump();
        expect(answer.statusCode).toBe(304);
        return total(await findings(stand));
      });
      const found = await findings(stand);
      expect(found).toMatchObject({ mismatched: 0, unsettled: 0, errors: 0 });
      expect(found.matched).toBeGreaterThan(0);
    }));

  it('takes along the body of a GET', () =>
    withStand({}, async (stand) => {
      for (const side of [stand.legacy, stand.extracted]) {
        side.answer = (_req, res, body) => json(res, 200, { asked: body });
      }
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        await (
          await send(`${stand.url}/api/stock`, { method: 'GET', body: '{"q":1}' })
        ).body.dump();
        return total(await findings(stand));
      });
      expect(await findings(stand)).toMatchObject({ mismatched: 0, unsettled: 0, errors: 0 });
      expect(stand.extracted.received.every(({ body }) => body === '{"q":1}')).toBe(true);
    }));

  it('tells where else a side sends its clients, and what else it calls its answer', () =>
    withStand({}, async (stand) => {
      stand.legacy.answer = (_req, res) => {
        res
          .writeHead(302, { location: `${stand.legacy.url}/a`, 'content-type': 'text/html' })
          .end();
      };
      stand.extracted.answer = (_req, res) => {
        res.writeHead(302, { location: '/b', 'content-type': 'text/plain' }).end();
      };
      expect((await readUntil(stand, total)).mismatches[0]?.differences).toEqual([
        { path: '(content-type)', legacy: 'text/html', extracted: 'text/plain' },
        { path: '(location)', legacy: '/a', extracted: '/b' },
      ]);
    }));

  it('is compared by the headers that its route names', () => {
    const stock = {
      legacy: 'legacy',
      extracted: 'extracted',
      routes: ['/api/stock', { path: '/api/stock/:sku', comparedHeaders: ['X-Unit'] }],
    };
    return withStand({ config: { capabilities: { stock } } }, async (stand) => {
      stand.legacy.answer = (_req, res) => {
        res.writeHead(200, { 'x-unit': 'piece', 'content-type': 'text/html' }).end();
      };
      stand.extracted.answer = (_req, res) => {
        res.writeHead(200, { 'x-unit': 'box', 'content-type': 'text/plain' }).end();
      };
      const { mismatches } = await readUntil(stand, total);
      expect(mismatches[0]?.differences).toEqual([
        { path: '(x-unit)', legacy: 'piece', extracted: 'box' },
      ]);
    });
  });

  it('differs also where it is compressed and was asked for under a condition', () =>
    withStand({}, async (stand) => {
      stand.legacy.answer = gzip(1);
      stand.extracted.answer = gzip(1, '{"sku":"A1","onHand":8}');
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        const headers = { 'if-none-match': '"old"' };
        await (await send(`${stand.url}/api/stock/A1`, { headers })).body.dump();
        return (await findings(stand)).mismatched > 0;
      });
      expect((await findings(stand)).notCompared).not.toHaveProperty('encoding');
    }));

  it('is counted where the other side does not have all the data yet, and the flag asks for it', () =>
    withStand({ routing: { replicaReady: false } }, async (stand) => {
      await request('GET', `${stand.url}/api/stock/A1`);
      await request('HEAD', `${stand.url}/api/stock/A1`);
      expect(await findings(stand)).toMatchObject({ skipped: 0, notCompared: {} });
      await stand.flags({ 'stock.shadow': 100 });
      await eventually(async () => {
        await request('GET', `${stand.url}/api/stock/A1`);
        expect((await findings(stand)).notCompared).toEqual({ not_ready: expect.any(Number) });
      });
      expect(stand.extracted.received).toEqual([]);
      const metrics = await (await fetch(`${stand.adminUrl}/metrics`)).text();
      expect(metrics).toMatch(
        /^fig_experiments_skipped_total\{capability="stock",reason="not_ready"\} [1-9]/m,
      );
    }));

  it('is counted by its reason where it is not compared', () =>
    withStand({ config: { limits: { bodyBytes: 1_000 } } }, async (stand) => {
      await stand.flags({ 'stock.shadow': 100 });
      const until = async (reason: string, ask: () => Promise<unknown>): Promise<void> => {
        await eventually(async () => {
          await ask();
          return ((await findings(stand)).notCompared[reason] ?? 0) > 0;
        });
      };
      const ask = async (body?: string): Promise<unknown> =>
        (await send(`${stand.url}/api/stock`, { method: 'GET', body: body ?? null })).body.dump();
      await until('request_body', () => ask('x'.repeat(2_000)));
      stand.legacy.answer = encoded('zz', Buffer.from('a'));
      stand.extracted.answer = encoded('zz', Buffer.from('b'));
      await until('encoding', ask);
      stand.extracted.answer = encoded('gzip', Buffer.from('none'));
      stand.legacy.answer = plain;
      await until('encoding', ask);
      stand.legacy.answer = gzip(1, `["${'x'.repeat(1_000_000)}"]`);
      stand.extracted.answer = gzip(1, `["${'x'.repeat(1_000_000)}" ]`);
      await until('too_large', ask);
      stand.legacy.answer = (_req, res) => json(res, 200, 'x'.repeat(300_000));
      const before = (await findings(stand)).notCompared['too_large'];
      await eventually(async () => {
        await ask();
        return (await findings(stand)).notCompared['too_large'] !== before;
      });
      stand.legacy.answer = (_req, res) => void res.writeHead(200).write('half');
      const leave = async (): Promise<void> => {
        const leaving = new AbortController();
        const answer = await send(`${stand.url}/api/stock`, { signal: leaving.signal });
        leaving.abort();
        await answer.body.dump().catch(() => undefined);
      };
      await until('cut_off', leave);
      stand.legacy.answer = (_req, res) => res.destroy();
      await until('unanswered', ask);
      const found = await findings(stand);
      const sum = Object.values(found.notCompared).reduce((left, right) => left + right, 0);
      expect(found).toMatchObject({ skipped: sum, mismatched: 0, errors: 0 });
      const metrics = await (await fetch(`${stand.adminUrl}/metrics`)).text();
      expect(metrics).toMatch(
        /^fig_experiments_skipped_total\{capability="stock",reason="cut_off"\} [1-9]/m,
      );
    }));
});
