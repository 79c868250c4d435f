import { describe, expect, it } from '@jest/globals';
import type { RequestListener, ServerResponse } from 'node:http';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';

const CONNECTIONS = 4;
/** All come from one address, which gets all there is. */
const limits = { connections: CONNECTIONS, clientConnections: CONNECTIONS, requestMs: 2_000 };
/** More than all buffers on the way take. */
const ENDLESS = Buffer.alloc(64 << 20);

async function counted({ adminUrl }: Stand, name: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
}

function clients(port: number, count: number, ask: (client: RawClient) => void): RawClient[] {
  return Array.from({ length: count }, () => {
    const client = new RawClient(port);
    ask(client);
    return client;
  });
}

describe('clients that do not go on', () => {
  it('keep no upload that others wait for', () =>
    withStand({ config: { limits } }, async (stand) => {
      const { port, url, monolith } = stand;
      const slow = clients(port, CONNECTIONS, (client) =>
        client.send('POST /up HTTP/1.1', 'Host: fig', 'Content-Length: 100', '', 'a'),
      );
      // A byte now and then is no progress either.
      const trickling = setInterval(() => {
        for (const client of slow) if (client.ending === undefined) client.send('a');
      }, 200);
      try {
        await eventually(() => monolith.connections() === CONNECTIONS);
        expect((await request('GET', `${url}/x`)).status).toBe(200);
        const dropped = slow.filter(({ statuses }) => statuses[0] === 408);
        expect(dropped.length).toBeGreaterThan(0);
        expect(await counted(stand, 'fig_slow_clients_total')).toBe(dropped.length);
      } finally {
        clearInterval(trickling);
        for (const client of slow) client.close();
      }
    }));

  it('keep no download that others wait for', () => {
    const large: RequestListener = (req, res) => {
      res.end(req.url === '/large' ? ENDLESS : 'small');
    };
    return withStand(
      { config: { limits }, rawMonolith: large },
      async ({ port, url, monolith }) => {
        const deaf = clients(port, CONNECTIONS, (client) => {
          client.socket.pause();
          client.get('/large');
        });
        try {
          await eventually(() => monolith.connections() === CONNECTIONS);
          expect((await request('GET', `${url}/x`)).status).toBe(200);
        } finally {
          for (const client of deaf) client.close();
        }
      },
    );
  });

  it('are told so, and not that the server behind is late', () =>
    withStand({ config: { limits: { requestMs: 200 } } }, async ({ port, monolith }) => {
      for (const path of ['/x', '/api/stock']) {
        const client = new RawClient(port);
        client.send(`POST ${path} HTTP/1.1`, 'Host: fig', 'Content-Length: 100', '', 'abc');
        await eventually(() => client.ending !== undefined);
        expect(client.statuses).toEqual([408]);
      }
      expect(monolith.received).toEqual([]);
    }));

  it('keep what they have as long as nobody waits for it', () =>
    withStand({ config: { limits } }, async ({ port, url, monolith }) => {
      const client = new RawClient(port);
      client.send('POST /up HTTP/1.1', 'Host: fig', 'Content-Length: 7', '', 'a');
      const rest = ['b', 'c', 'd', 'e', 'f', 'g'];
      // That slow is the client itself; others ask all the while.
      const trickling = setInterval(() => {
        const next = rest.shift();
        if (next !== undefined) client.send(next);
      }, 150);
      const others: number[] = [];
      try {
        await eventually(async () => {
          others.push((await request('GET', `${url}/x`)).status);
          return client.statuses.length === 1;
        });
      } finally {
        clearInterval(trickling);
        client.close();
      }
      expect(others.length).toBeGreaterThan(6);
      expect(new Set(others)).toEqual(new Set([200]));
      expect(client.statuses).toEqual([200]);
      const upload = monolith.received.find(({ body }) => body !== '');
      expect(upload?.body).toBe('abcdefg');
    }));
});

describe('event streams that are silent', () => {
  /** @returns for each stream what tells its client something */
  function streaming({ monolith, legacy }: Stand): ServerResponse[] {
    const streams: ServerResponse[] = [];
    for (const upstream of [monolith, legacy]) {
      upstream.answer = (req, res) => {
        if (!req.url?.endsWith('/events')) {
          res.end('done');
          return;
        }
        res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        streams.push(res);
      };
    }
    return streams;
  }

  it.each(['', '/api/stock'])('leave their places to others, and go on: %s/events', (base) =>
    withStand({ config: { limits } }, async (stand) => {
      const { port, url, monolith, legacy } = stand;
      const upstream = base === '' ? monolith : legacy;
      const streams = streaming(stand);
      const listening = clients(port, 3 * CONNECTIONS, (client) => client.get(`${base}/events`));
      try {
        await eventually(() => listening.every(({ statuses }) => statuses[0] === 200));
        // All of them, at once, and others for as long as the streams last.
        const answers = Array.from({ length: 10 }, () => request('GET', `${url}${base}/x`));
        for (const { status } of await Promise.all(answers)) expect(status).toBe(200);
        for (const [index, stream] of streams.entries()) stream.write(`data: event ${index}\n\n`);
        await eventually(() => listening.every(({ text }) => /data: event \d+/.test(text)));
        expect(listening.every(({ ending }) => ending === undefined)).toBe(true);
        for (const stream of streams) stream.end();
        await eventually(() => listening.every(({ text }) => text.endsWith('0\r\n\r\n')));
        // Those that were beside the others are closed.
        await eventually(() => upstream.connections() <= CONNECTIONS);
        expect((await request('GET', `${url}${base}/x`)).status).toBe(200);
      } finally {
        for (const client of listening) client.close();
      }
    }),
  );

  it('are as many beside the others as there may be WebSockets, in all and of one client', () =>
    withStand(
      { config: { trustedHops: 1, limits: { ...limits, upgrades: 3, clientUpgrades: 2 } } },
      async (stand) => {
        const streams = streaming(stand);
        const from = (address: string) => (client: RawClient) =>
          client.get('/events', `X-Forwarded-For: ${address}`);
        const begun = (count: number): Promise<unknown> =>
          eventually(() => streams.length === count);
        const first = clients(stand.port, CONNECTIONS + 2, from('192.0.2.1'));
        await begun(CONNECTIONS + 2);
        const refused = clients(stand.port, 1, from('192.0.2.1'));
        await eventually(() => refused[0]?.statuses[0] === 503);
        expect(refused[0]?.text).toContain('upstream_busy');
        first[0]?.close();
        first[1]?.close();
        const others = clients(stand.port, 2, from('192.0.2.2'));
        await begun(CONNECTIONS + 4);
        const more = clients(stand.port, 3, from('192.0.2.2'));
        await eventually(() => more.filter(({ statuses }) => statuses[0] === 503).length === 2);
        expect(streams).toHaveLength(CONNECTIONS + 5);
        for (const client of [...first, ...refused, ...others, ...more]) client.close();
      },
    ));
});

describe('requests that wait for a connection', () => {
  it('are so many, and others are refused at once', () =>
    withStand(
      { config: { limits: { connections: 1, waiting: 2, requestMs: 20_000 } } },
      async ({ port, url, monolith, adminUrl }) => {
        const held: ServerResponse[] = [];
        monolith.answer = (_req, res) => void held.push(res);
        const asked = clients(port, 1, (client) => client.get('/x'));
        await eventually(() => held.length === 1);
        // One for each of two halves: no client has the whole line.
        const waiting = clients(port, 1, (client) => client.get('/x'));
        const line = /^fig_upstream_waiting\{upstream="monolith"\} 1$/m;
        await eventually(async () => line.test(await (await fetch(`${adminUrl}/metrics`)).text()));
        expect(await request('GET', `${url}/x`)).toMatchObject({
          status: 503,
          headers: { 'retry-after': '1' },
          body: { code: 'upstream_busy' },
        });
        for (const client of [...asked, ...waiting]) {
          await eventually(() => held.length > 0);
          held.shift()?.end('done');
          await eventually(() => client.statuses[0] === 200);
          client.close();
        }
      },
    ));

  it('are told that nothing has happened when their time is over', () =>
    withStand(
      { config: { limits: { connections: 1, requestMs: 500 } } },
      async ({ port, url, monolith }) => {
        const first = new RawClient(port);
        let telling: NodeJS.Timeout | undefined;
        monolith.answer = (_req, res) => {
          res.writeHead(200, { 'content-type': 'text/event-stream' });
          telling = setInterval(() => res.write(`data: ${'x'.repeat(200)}\n\n`), 20);
        };
        first.get('/events');
        try {
          await eventually(() => first.statuses.length === 1);
          const { status, body } = await request('POST', `${url}/x`, { body: {} });
          expect({ status, body }).toMatchObject({ status: 503, body: { code: 'upstream_busy' } });
          expect(monolith.received).toHaveLength(1);
          // What makes use of its connection keeps it.
          expect(first.ending).toBeUndefined();
        } finally {
          clearInterval(telling);
          first.close();
        }
      },
    ));

  it('of one client leave connections to others', () =>
    withStand(
      {
        config: { trustedHops: 1, limits: { ...limits, clientConnections: 2, requestMs: 20_000 } },
      },
      async ({ port, monolith }) => {
        const held: ServerResponse[] = [];
        monolith.answer = (_req, res) => void held.push(res);
        const from = (address: string) => (client: RawClient) =>
          client.get('/x', `X-Forwarded-For: ${address}`);
        const many = clients(port, 10, from('192.0.2.1'));
        await eventually(() => held.length === 2);
        const others = clients(port, 2, from('192.0.2.2'));
        await eventually(() => held.length === 4);
        expect(monolith.received.map(({ headers }) => headers['x-forwarded-for'])).toEqual(
          [1, 1, 2, 2].map((last) => `192.0.2.${last}, 127.0.0.1`),
        );
        // In turn, all get theirs.
        monolith.answer = (_req, res) => res.end('done');
        for (const res of held) res.end('done');
        for (const client of [...many, ...others]) {
          await eventually(() => client.statuses[0] === 200);
          client.close();
        }
      },
    ));
});
