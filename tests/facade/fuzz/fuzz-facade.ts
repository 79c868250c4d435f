import { expect } from '@jest/globals';
import { withTempDir } from '../../support/index.ts';
import { startRawUpstream } from '../conformance/raw-upstream.ts';
import type { RawUpstream } from '../conformance/raw-upstream.ts';
import { withSpawnedFacade } from '../spawned-facade.ts';
import type { SpawnedFacade } from '../spawned-facade.ts';
import { fuzzEarlyAnswers } from './early-answers.ts';
import { fuzz } from './fuzz.ts';

export interface Upstreams {
  readonly monolith: RawUpstream;
  readonly stock: RawUpstream;
}

export async function withUpstreams(use: (upstreams: Upstreams) => Promise<void>): Promise<void> {
  const monolith = await startRawUpstream();
  const stock = await startRawUpstream();
  try {
    await use({ monolith, stock });
  } finally {
    await monolith.close();
    await stock.close();
  }
}

/** Sends a facade that many requests of any bytes: it stays up, and means what its upstreams mean. */
export function fuzzFacade({ requests, seed }: { requests: number; seed: number }): Promise<void> {
  return withFacade(async ({ port, pid, log }, upstreams) => {
    const subject = { port, upstreams, mark: 'x-fig-timeout-ms', oddAnswers: true };
    const { passed, faults } = await fuzz(subject, {
      requests,
      seed,
      longestMs: 10_000,
    });
    expect(faults.slice(0, 3)).toEqual([]);
    // Enough of them are requests after all.
    expect(passed).toBeGreaterThan(requests / 3);
    expect(log()).not.toContain('failed in the facade');
    process.kill(pid, 0);
  });
}

/** Uploads whose upstream answers before it has read them: each client gets that answer. */
export function fuzzEarly({ uploads, seed }: { uploads: number; seed: number }): Promise<void> {
  return withFacade(async ({ port, pid, log }, { monolith, stock }) => {
    const faults = await fuzzEarlyAnswers(port, [monolith, stock], { uploads, seed });
    expect(faults.slice(0, 3)).toEqual([]);
    expect(log()).not.toContain('failed in the facade');
    process.kill(pid, 0);
  });
}

function withFacade(
  use: (facade: SpawnedFacade, upstreams: Upstreams) => Promise<void>,
): Promise<void> {
  return withTempDir((folder) =>
    withUpstreams((upstreams) => {
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
      return withSpawnedFacade({ folder, config }, (facade) => use(facade, upstreams));
    }),
  );
}
