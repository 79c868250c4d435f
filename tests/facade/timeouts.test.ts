import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Agent, request as send } from 'undici';
import type { FigConfigInput } from '../../routing/index.ts';
import { request } from '../support/index.ts';
import { json, withStand } from './stand.ts';
import type { Fixture, Stand } from './stand.ts';

type Patterns = NonNullable<NonNullable<FigConfigInput['gateway']>['resilience']>['upstreams'];

/** Requests may take a minute; this upstream may not. */
function withTimeouts(
  upstreams: Patterns,
  use: (stand: Stand) => Promise<void>,
  more: Partial<FigConfigInput> = {},
): Promise<void> {
  const config = { limits: { requestMs: 60_000 }, gateway: { resilience: { upstreams } }, ...more };
  return withStand({ config }, use);
}

const silent: Fixture['answer'] = () => undefined;
/** Begins an answer, and says no more. */
const begun: Fixture['answer'] = (_req, res) => {
  res.writeHead(200, { 'content-length': '100' });
  res.write('half');
};

describe('the time-outs of one upstream', () => {
  it('end an attempt whose answer does not begin, and tell the upstream of it', () =>
    withTimeouts({ legacy: { timeouts: { firstByteMs: 80 } } }, async (stand) => {
      stand.legacy.answer = silent;
      const write = await request('POST', `${stand.url}/api/stock`, { body: {} });
      expect(write).toMatchObject({ status: 504, body: { code: 'upstream_timeout' } });
      expect(stand.legacy.received[0]?.headers['x-fig-timeout-ms']).toBe('80');
      await request('GET', `${stand.url}/other`);
      expect(stand.monolith.received[0]?.headers['x-fig-timeout-ms']).toBe('60000');
      // A read is sent once more, as after any time-out of an attempt.
      stand.legacy.answer = (req, res, body) => {
        stand.legacy.answer = (_req, next) => json(next, 200, { from: 'legacy' });
        silent(req, res, body);
      };
      expect((await request('GET', `${stand.url}/api/stock`)).body).toEqual({ from: 'legacy' });
    }));

  it('end an answer that falls silent, and no other', () =>
    withTimeouts({ legacy: { timeouts: { silenceMs: 80 } } }, async ({ url, legacy, monolith }) => {
      legacy.answer = begun;
      const dispatcher = new Agent();
      const cut = await send(`${url}/api/stock`, { dispatcher });
      await expect(cut.body.text()).rejects.toThrow();
      legacy.answer = (_req, res) => {
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write('data: 1\n\n');
        setTimeout(() => res.end('data: 2\n\n'), 300);
      };
      const stream = await send(`${url}/api/stock`, { dispatcher });
      expect(await stream.body.text()).toBe('data: 1\n\ndata: 2\n\n');
      monolith.answer = (_req, res) => {
        res.writeHead(200, { 'content-length': '8' });
        res.write('half');
        setTimeout(() => res.end('half'), 300);
      };
      const slow = await send(`${url}/other`, { dispatcher });
      expect(await slow.body.text()).toBe('halfhalf');
      await dispatcher.close();
    }));

  it('end an answer that falls silent while it is held back to be kept', () => {
    const cache = { routes: [{ path: '/other' }] };
    const upstreams = { monolith: { timeouts: { silenceMs: 80 } } };
    const gateway = { resilience: { upstreams }, cache };
    const config = { limits: { requestMs: 60_000 }, gateway };
    return withStand({ config }, async ({ url, monolith }) => {
      monolith.answer = begun;
      expect(await request('GET', `${url}/other`)).toMatchObject({
        status: 504,
        body: { code: 'upstream_timeout' },
      });
    });
  });

  it('end an attempt to connect', () =>
    withDeafServer((url) =>
      withTimeouts(
        { legacy: { timeouts: { connectMs: 3_500 } } },
        async ({ url: facade, adminUrl }) => {
          const began = performance.now();
          const answer = await request('POST', `${facade}/api/stock`, { body: {} });
          expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_unavailable' } });
          // Two seconds are what it takes without the setting.
          expect(performance.now() - began).toBeGreaterThan(3_000);
          const { body } = await request('GET', `${adminUrl}/metrics`);
          expect(body).toContain('cause="connect_timeout"} 1');
        },
        { upstreams: { monolith: url, legacy: url, extracted: url } },
      ),
    ));
});

/** Listens, and never accepts: once its queue is full, a connection to it is neither made nor refused. */
const DEAF = `require('node:net').createServer().listen(0, '127.0.0.1', 1, function () {
  require('node:fs').writeSync(1, String(this.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
})`;
const QUEUE = 8;

async function withDeafServer(use: (url: string) => Promise<void>): Promise<void> {
  const server = spawn(process.execPath, ['-e', DEAF], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(server.stdout, 'data')) as [Buffer];
  const port = Number(said.toString());
  const waiting = Array.from({ length: QUEUE }, () => connect(port, '127.0.0.1'));
  for (const socket of waiting) socket.on('error', () => undefined);
  try {
    await once(waiting[0] as Socket, 'connect');
    await use(`http://127.0.0.1:${port}`);
  } finally {
    for (const socket of waiting) socket.destroy();
    server.kill('SIGKILL');
  }
}
