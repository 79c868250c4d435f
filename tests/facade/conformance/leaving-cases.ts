import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import { ask, get } from './ask.ts';
import type { Case } from './case.ts';
import type { Reply } from './raw-upstream.ts';
import type { Target } from './target.ts';

/** What happens when one of the three goes away. */
export const leavingCases: readonly Case[] = [
  {
    name: 'the client goes before the answer',
    must: 'cancel the upstream within a second',
    ours: 'cancelled within a second',
    run: (target: Target) => cancelled(target, () => undefined),
  },
  {
    name: 'the client goes in the middle of the answer',
    must: 'cancel the upstream within a second',
    ours: 'cancelled within a second',
    run: (target: Target) =>
      cancelled(target, (_request, socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin');
      }),
  },
  {
    name: 'the upstream breaks off before it answers',
    must: '502',
    ours: '502',
    run: async (target: Target) => {
      const text = await ask(
        target,
        get('/reset'),
        (_request, socket) => {
          socket.resetAndDestroy();
        },
        (got) => got.includes('\r\n\r\n'),
      );
      return /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 'nothing';
    },
  },
  ...[
    { name: 'of known length', head: 'Content-Length: 1000\r\n\r\nsome' },
    { name: 'in chunks', head: 'Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n' },
  ].map(({ name, head }) => ({
    name: `the upstream breaks off in the middle of an answer ${name}`,
    must: 'cut the client off, no clean end',
    ours: 'cut off',
    run: async (target: Target) => {
      const text = await ask(
        target,
        get('/reset'),
        (_request, socket) => {
          socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => socket.resetAndDestroy());
        },
        (_got, client) => client.ending !== undefined,
      );
      return text.endsWith('0\r\n\r\n') ? 'a clean end' : 'cut off';
    },
  })),
  {
    name: 'the upstream is silent',
    must: '504 in time',
    ours: '504',
    oursOnly: true,
    run: async (target: Target) => {
      const text = await ask(
        target,
        get('/api/stock/silent'),
        () => undefined,
        (got) => got.includes('\r\n\r\n'),
      );
      return /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 'nothing';
    },
  },
].map((each) => ({ group: 'When somebody goes away', ...each }));

async function cancelled({ port, upstream }: Target, reply: Reply): Promise<string> {
  upstream.reset();
  upstream.reply = reply;
  const client = new RawClient(port);
  client.socket.write(get('/slow'));
  await eventually(() => upstream.seen.length === 1);
  const { lastClosedAt } = upstream;
  client.close();
  const left = performance.now();
  await eventually(() => upstream.lastClosedAt > lastClosedAt, {
    timeoutMs: 3_000,
    intervalMs: 5,
  }).catch(() => undefined);
  const ms = upstream.lastClosedAt - left;
  if (upstream.lastClosedAt === lastClosedAt) return 'not cancelled';
  return ms <= 1_000 ? 'cancelled within a second' : `cancelled after ${Math.round(ms)} ms`;
}
