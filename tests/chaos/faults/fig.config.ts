import shop from '../../../fig.config.ts';
import { defineConfig } from '../../../routing/index.ts';
import { TIMES } from './times.ts';

function behind(upstream: string): string {
  const url = process.env[`BEHIND_${upstream.toUpperCase()}`];
  if (!url)
    throw new Error(`BEHIND_${upstream.toUpperCase()} says no proxy in front of ${upstream}`);
  return url;
}

/** The shop with each server behind a proxy that does harm, and with the patterns that are to help. */
export default defineConfig({
  ...shop,
  upstreams: {
    monolith: behind('monolith'),
    inventory: behind('inventory'),
    payment: behind('payment'),
  },
  limits: { ...shop.limits, requestMs: TIMES.requestMs },
  gateway: {
    ...shop.gateway,
    limits: [{ name: 'all', path: '/api/*', requests: 1_000_000, seconds: 60 }],
    resilience: {
      timeouts: { connectMs: 500, firstByteMs: TIMES.firstByteMs, silenceMs: 500 },
      retry: {},
      breaker: { windowMs: 2_000, minimum: 6, openMs: TIMES.openMs, probes: 2 },
      // Without a breaker, so that the budget of retries alone bounds what an ill server gets.
      upstreams: { payment: { breaker: false } },
    },
  },
});
