import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { withTempDir } from '../../support/index.ts';
import { startRawUpstream } from '../conformance/raw-upstream.ts';
import type { RawUpstream, SeenRequest } from '../conformance/raw-upstream.ts';
import { withSpawnedFacade } from '../spawned-facade.ts';
import { exchange } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { fuzzedRequest } from './requests.ts';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 80);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
const AT_ONCE = 250;

/** What may be answered to a client that may send anything. The upstreams are always well. */
const ALLOWED = new Set([100, 200, 400, 405, 408, 413, 417, 431, 501, 505]);

interface Counter {
  next: number;
  readonly strangers: SeenRequest[];
}

/** Tells in the head of its answer what it has read. */
function echoing(upstream: RawUpstream, by: string, counter: Counter): void {
  upstream.reply = (request, socket) => {
    upstream.seen.length = 0;
    counter.next += 1;
    // What the facade has sent on says so; what hides in something else does not.
    if (!request.headers.has('x-fig-timeout-ms')) counter.strangers.push(request);
    const { method, target, body } = request;
    const echo = { number: counter.next, by, method, target, body };
    const seen = Buffer.from(JSON.stringify(echo)).toString('base64url');
    const answer = method === 'HEAD' ? '' : 'ok';
    socket.write(`HTTP/1.1 200 OK\r\nX-Seen: ${seen}\r\nContent-Length: 2\r\n\r\n${answer}`);
  };
}

function decoded(target: string): string {
  const path = target.split('?')[0] ?? '';
  const text = path.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return text.replace(/\/{2,}/g, '/');
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark);
}

/** Where a request to this path belongs, by the words of the configuration. */
function ownerOf(target: string): string {
  const path = decoded(target).toLowerCase();
  return path === '/api/stock' || path.startsWith('/api/stock/') ? 'stock' : 'monolith';
}

function check({ request, statuses, echoes, text, gaveUp }: Exchange): void {
  const about = JSON.stringify({ sent: request.bytes, got: text });
  for (const status of statuses) {
    if (!ALLOWED.has(status)) throw new Error(`answered ${status}: ${about}`);
  }
  for (const { target, by } of echoes) {
    if (ownerOf(target) !== by) throw new Error(`${target} went to ${by}: ${about}`);
  }
  const { means } = request;
  if (means === null) return;
  if (gaveUp) throw new Error(`not answered: ${about}`);
  const final = statuses.filter((status) => status >= 200);
  if (final.length !== 1) throw new Error(`answered ${final.length} times: ${about}`);
  const [echo] = echoes;
  if (!echo) return;
  const same =
    echo.method === means.method &&
    echo.body === means.body &&
    decoded(echo.target) === decoded(means.target) &&
    queryOf(echo.target) === queryOf(means.target);
  if (!same) throw new Error(`${JSON.stringify(echo)} is not ${JSON.stringify(means)}`);
}

describe('any bytes a client may send', () => {
  it(
    `do not crash the facade, and mean the same to it and to its upstreams`,
    () =>
      withTempDir(async (folder) => {
        const counter: Counter = { next: 0, strangers: [] };
        const monolith = await startRawUpstream();
        const stock = await startRawUpstream();
        echoing(monolith, 'monolith', counter);
        echoing(stock, 'stock', counter);
        const config = {
          upstreams: { monolith: monolith.url, stock: stock.url },
          monolith: 'monolith',
          capabilities: {
            stock: { legacy: 'stock', extracted: 'stock', routes: ['/api/stock', '/api/stock/*'] },
          },
        };
        let answered = 0;
        let requests = 0;
        try {
          await withSpawnedFacade({ folder, config }, async (facade) => {
            const batch = fc.array(fuzzedRequest, { minLength: AT_ONCE, maxLength: AT_ONCE });
            await fc.assert(
              fc.asyncProperty(batch, async (sent) => {
                const before = counter.next;
                const exchanges = await Promise.all(
                  sent.map((each) => exchange(facade.port, each)),
                );
                requests += exchanges.length;
                for (const each of exchanges) check(each);
                const told = exchanges.flatMap(({ echoes }) => echoes).length;
                answered += told;
                const untold = counter.next - before - told;
                const open = exchanges.filter(({ gaveUp }) => gaveUp).length;
                if (untold < 0 || untold > open) throw new Error(`${untold} more than asked for`);
                if (counter.strangers.length > 0) {
                  throw new Error(`hidden requests: ${JSON.stringify(counter.strangers)}`);
                }
              }),
              { numRuns: RUNS, seed: SEED, endOnFailure: true },
            );
            expect(facade.log()).not.toContain('failed in the facade');
            process.kill(facade.pid, 0);
          });
        } finally {
          await monolith.close();
          await stock.close();
        }
        expect(requests).toBeGreaterThanOrEqual(RUNS * AT_ONCE);
        // Enough of them are requests after all.
        expect(answered).toBeGreaterThan(requests / 4);
      }),
    240_000,
  );
});
