import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak, withTempDir } from '../support/index.ts';
import { startRawUpstream } from './conformance/raw-upstream.ts';
import type { RawUpstream } from './conformance/raw-upstream.ts';
import { RawClient } from './raw-client.ts';
import { withSpawnedFacade } from './spawned-facade.ts';

const MANY = 30_000;
const AT_ONCE = 100;
const MEGABYTE = 1 << 20;
/** What of the heap may still be in use while they are under way. */
const MOST_HELD = 3 * MEGABYTE;
/** What the process may take at most, also of what is collected later. */
const MOST_TAKEN = 60 * MEGABYTE;
const HINT = 'HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly path: string;
  readonly reads: boolean;
  readonly asks?: readonly string[];
}

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket'];

/** A figure of the process in bytes: what is resident, or the most that was since it was forgotten. */
async function resident(pid: number, name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1_024;
}

/** Answers with so many interim answers, in pieces, each when the one before has gone. */
function interimAnswers(upstream: RawUpstream, text: string, count: number) {
  const state = { left: count, finish: (): void => undefined };
  upstream.reset();
  upstream.reply = (_request, socket) => {
    const more = (): void => {
      while (state.left > 0) {
        state.left -= AT_ONCE;
        if (!socket.write(text.repeat(AT_ONCE))) return;
      }
    };
    state.finish = () => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    socket.on('drain', more);
    more();
  };
  return state;
}

describe('30,000 interim answers before an answer', () => {
  it.each<Case>([
    { name: 'early hints on a route of a capability', text: HINT, path: '/api/x', reads: true },
    { name: 'early hints to a client that does not read', text: HINT, path: '/x', reads: false },
    ...inSoak<Case[]>(
      [
        { name: 'early hints', text: HINT, path: '/x', reads: true },
        { name: '102', text: 'HTTP/1.1 102 Processing\r\n\r\n', path: '/x', reads: true },
        { name: '100', text: 'HTTP/1.1 100 Continue\r\n\r\n', path: '/x', reads: true },
        { name: 'early hints for a WebSocket', text: HINT, path: '/x', reads: true, asks: UPGRADE },
      ],
      [],
    ),
  ])('take no memory, and the answer comes: $name', ({ text, path, reads, asks = [] }) =>
    withTempDir(async (folder) => {
      const upstream = await startRawUpstream();
      const config = {
        upstreams: { old: upstream.url },
        monolith: 'old',
        capabilities: { apis: { legacy: 'old', extracted: 'old', routes: ['/api/*'] } },
      };
      try {
        await withSpawnedFacade({ folder, config }, async ({ port, pid, memory }) => {
          /** @returns what of the heap is in use when all interim answers have been read */
          const ask = async (count: number): Promise<number> => {
            const state = interimAnswers(upstream, text, count);
            const client = new RawClient(port);
            if (!reads) client.socket.pause();
            client.get(path, ...asks);
            try {
              await eventually(() => upstream.seen.length === 1 && state.left <= 0);
              const { heapBytes } = await memory();
              state.finish();
              client.socket.resume();
              await eventually(() => client.text.endsWith('\r\n\r\ndone'));
              expect(client.statuses.at(-1)).toBe(200);
              return heapBytes;
            } finally {
              client.close();
            }
          };
          const before = await ask(MANY / 10);
          const taken = await resident(pid, 'VmRSS');
          await writeFile(`/proc/${pid}/clear_refs`, '5');
          const after = await ask(MANY);
          expect(after - before).toBeLessThan(MOST_HELD);
          expect((await resident(pid, 'VmHWM')) - taken).toBeLessThan(MOST_TAKEN);
        });
      } finally {
        await upstream.close();
      }
    }),
  );
});
