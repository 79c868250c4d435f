import shop from '../../../fig.config.ts';
import { defineConfig } from '../../../routing/index.ts';
import { CACHED, FEW, PATIENT, TIMES } from './times.ts';

const { env } = process;
const { requestMs, firstByteMs, openMs } = env['FAULTS_PATIENT'] ? PATIENT : TIMES;

function behind(upstream: string): { url: string; instances?: string[] } {
  const url = env[`BEHIND_${upstream}`];
  if (!url) throw new Error(`BEHIND_${upstream} names no proxy in front of it`);
  const second = env[`BEHIND_SECOND_${upstream}`];
  return second ? { url, instances: [url, second] } : { url };
}

/** The shop with each server behind a proxy that does harm, and with the patterns that are to help. */
export default defineConfig({
  ...shop,
  upstreams: {
    ...shop.upstreams,
    monolith: behind('MONOLITH'),
    inventory: behind('INVENTORY'),
    payment: behind('PAYMENT'),
  },
  limits: { ...shop.limits, requestMs },
  gateway: {
    ...shop.gateway,
    cache: { routes: [{ path: CACHED.path, ttlMs: 60_000 }] },
    limits: [
      { name: 'few', path: FEW.path, requests: FEW.requests, seconds: 600 },
      { name: 'all', path: '/api/*', requests: 1_000_000, seconds: 60 },
    ],
    resilience: {
      timeouts: { connectMs: 500, firstByteMs, silenceMs: 500 },
      retry: {},
      breaker: {
        windowMs: 2_000,
        minimum: 6,
        openMs,
        probes: 2,
      },
      // Without a breaker, so that the budget of retries alone bounds what an ill server gets.
      upstreams: { payment: { breaker: false } },
    },
  },
});
