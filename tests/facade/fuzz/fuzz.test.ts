import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../../support/index.ts';
import { startRawUpstream } from '../conformance/raw-upstream.ts';
import type { RawUpstream } from '../conformance/raw-upstream.ts';
import { withSpawnedFacade } from '../spawned-facade.ts';
import { fuzz } from './fuzz.ts';
import { withRival } from './rival.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

async function withUpstreams(
  use: (upstreams: { monolith: RawUpstream; stock: RawUpstream }) => Promise<void>,
): Promise<void> {
  const monolith = await startRawUpstream();
  const stock = await startRawUpstream();
  try {
    await use({ monolith, stock });
  } finally {
    await monolith.close();
    await stock.close();
  }
}

describe('any bytes a client may send', () => {
  it(
    'do not crash the facade, and mean the same to it and to its upstreams',
    () =>
      withTempDir((folder) =>
        withUpstreams(async (upstreams) => {
          const { monolith, stock } = upstreams;
          const config = {
            upstreams: { monolith: monolith.url, stock: stock.url },
            monolith: 'monolith',
            capabilities: {
              stock: {
                legacy: 'stock',
                extracted: 'stock',
                routes: ['/api/stock', '/api/stock/*'],
              },
            },
          };
          await withSpawnedFacade({ folder, config }, async ({ port, pid, log }) => {
            const subject = { port, upstreams, mark: 'x-fig-timeout-ms' };
            const { passed, faults } = await fuzz(subject, {
              requests: REQUESTS,
              seed: SEED,
              longestMs: 10_000,
            });
            expect(faults.slice(0, 3)).toEqual([]);
            // Enough of them are requests after all.
            expect(passed).toBeGreaterThan(REQUESTS / 3);
            expect(log()).not.toContain('failed in the facade');
            process.kill(pid, 0);
          });
        }),
      ),
    240_000,
  );

  // Real proxies with real holes: a fuzz that finds none here would find none in the facade either.
  it.each([
    // It says of a chunked DELETE or OPTIONS that it has no body, and sends the body (CVE-2026-29057).
    ['http-proxy-middleware', 'node-middleware', /^a hidden request: /],
    // It sends nobody's body with GET or HEAD.
    ['a proxy on undici without checks', 'bare-undici', /is not \{/],
  ])('show the holes of %s', (_name, file, hole) =>
    withUpstreams(async ({ monolith }) => {
      await withRival(file, monolith.url, async (port) => {
        // All requests say who they are for, save those that hide in another one's body.
        const subject = { port, upstreams: { monolith, stock: monolith }, mark: 'host' };
        const { faults } = await fuzz(subject, { requests: 500, seed: SEED, longestMs: 500 });
        expect(faults).toContainEqual(expect.stringMatching(hole));
      });
    }),
  );
});
