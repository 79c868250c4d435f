import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak, withTempDir } from '../support/index.ts';
import { startRawUpstream } from './conformance/raw-upstream.ts';
import type { RawUpstream } from './conformance/raw-upstream.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import type { SpawnedFacade } from './spawned-facade.ts';

const REQUESTS = inSoak(10_000, 1_000);
const WARM_UP = inSoak(2_000, 500);
const AT_ONCE = 100;
/** What the requests after the first may leave behind in all: less than a closure each. */
const MOST_LEFT_BYTES = 1_000_000;

/** How a client leaves: what it has sent, and what it has waited for. */
interface Leaving {
  readonly sends: readonly string[];
  readonly when: 'sent' | 'upstream has it' | 'answer begins';
}

const LEAVINGS: readonly Leaving[] = [
  { sends: ['GET /x HTTP/1.1'], when: 'upstream has it' },
  { sends: ['GET /api/stock/1 HTTP/1.1'], when: 'upstream has it' },
  { sends: ['GET /begun HTTP/1.1'], when: 'answer begins' },
  { sends: ['GET /api/stock/begun HTTP/1.1'], when: 'answer begins' },
  { sends: ['POST /x HTTP/1.1', 'Content-Length: 100000'], when: 'sent' },
  { sends: ['POST /api/stock HTTP/1.1', 'Content-Length: 100000'], when: 'sent' },
  { sends: ['POST /api/stock HTTP/1.1', 'Content-Length: 5'], when: 'upstream has it' },
  { sends: ['GET /api/stock HTTP/1.1'], when: 'sent' },
];

/** Never answers, or begins to; tells whoever waits for their request to arrive. */
function silent(upstream: RawUpstream): Map<string, () => void> {
  const arrivals = new Map<string, () => void>();
  upstream.reply = (request, socket) => {
    upstream.seen.length = 0;
    if (request.target.endsWith('begun')) {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nsome');
    }
    arrivals.get(request.headers.get('x-number') ?? '')?.();
  };
  return arrivals;
}

function leave(socket: Socket, number: number): void {
  if (number % 2 === 0) socket.destroy();
  else socket.resetAndDestroy();
}

function abortOne(port: number, number: number, arrivals: Map<string, () => void>): Promise<void> {
  const { sends, when } = LEAVINGS[number % LEAVINGS.length] as Leaving;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const go = (): void => leave(socket, number);
    socket.once('close', () => {
      arrivals.delete(`${number}`);
      resolve();
    });
    socket.once('error', reject);
    if (when === 'upstream has it') arrivals.set(`${number}`, go);
    if (when === 'answer begins') socket.once('data', go);
    const head = [...sends, 'Host: fig', `X-Customer-Id: C${number}`, `X-Number: ${number}`];
    socket.write(`${head.join('\r\n')}\r\n\r\nabcde`, () => {
      if (when === 'sent') go();
    });
  });
}

async function abortMany(
  { port }: SpawnedFacade,
  numbers: { readonly from: number; readonly to: number },
  arrivals: Map<string, () => void>,
): Promise<void> {
  let next = numbers.from;
  const lanes = Array.from({ length: AT_ONCE }, async () => {
    while (next < numbers.to) {
      const number = next;
      next += 1;
      await abortOne(port, number, arrivals);
    }
  });
  await Promise.all(lanes);
}

describe('requests whose clients leave', () => {
  it(
    'leave nothing behind: no connection, no memory, no request under way',
    () =>
      withTempDir(async (folder) => {
        const upstream = await startRawUpstream();
        const arrivals = silent(upstream);
        const config = {
          upstreams: { only: upstream.url },
          monolith: 'only',
          capabilities: {
            stock: { legacy: 'only', extracted: 'only', routes: ['/api/stock', '/api/stock/*'] },
          },
        };
        try {
          await withSpawnedFacade({ folder, config }, async (facade) => {
            const settled = async (): Promise<number> => {
              await eventually(async () => {
                expect(await facade.memory()).toMatchObject({ sockets: 0 });
                expect(upstream.open).toBe(0);
              });
              return (await facade.memory()).heapBytes;
            };
            await abortMany(facade, { from: 0, to: WARM_UP }, arrivals);
            const before = await settled();
            await abortMany(facade, { from: WARM_UP, to: REQUESTS }, arrivals);
            const after = await settled();
            expect(after - before).toBeLessThan(MOST_LEFT_BYTES);
            const status = await fetch(`${facade.adminUrl}/status`, { headers: facade.operator });
            expect(await status.json()).toMatchObject({ inFlight: 0 });
            expect(facade.log()).not.toContain('"level":50');
          });
        } finally {
          await upstream.close();
        }
      }),
    120_000,
  );
});
