import { describe, expect, it } from '@jest/globals';
import { inSoak, seedFrom } from '../../support/index.ts';
import { fuzz } from './fuzz.ts';
import { fuzzEarly, fuzzFacade, withUpstreams } from './fuzz-facade.ts';
import { withRival } from './rival.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 2_000);
const SEED = seedFrom('FUZZ_SEED', 20_261_121);

describe('any bytes a client may send', () => {
  it(
    'do not crash the facade, and mean the same to it and to its upstreams',
    () => fuzzFacade({ requests: REQUESTS, seed: SEED }),
    240_000,
  );

  it(
    'get the answer of an upstream that has not read all of them',
    () => fuzzEarly({ uploads: 100, seed: SEED }),
    240_000,
  );

  // Real proxies with real holes: a fuzz that finds none here would find none in the facade either.
  it.each([
    // It says of a chunked DELETE or OPTIONS that it has no body, and sends the body (CVE-2026-29057).
    ['http-proxy-middleware', 'node-middleware', /^a hidden request: /] as const,
    // It sends nobody's body with GET or HEAD.
    ...inSoak([['a proxy on undici without checks', 'bare-undici', /is not \{/] as const], []),
  ])('show the holes of %s', (_name, file, hole) =>
    withUpstreams(async ({ monolith }) => {
      await withRival(file, monolith.url, async (port) => {
        // All requests say who they are for, save those that hide in another one's body.
        const subject = { port, upstreams: { monolith, stock: monolith }, mark: 'host' };
        const { faults } = await fuzz(subject, { requests: 500, seed: SEED, longestMs: 2_000 });
        expect(faults).toContainEqual(expect.stringMatching(hole));
      });
    }),
  );
});
