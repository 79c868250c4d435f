import { Router } from 'express';
import type { Express } from 'express';
import { z } from 'zod';
import { createHttpApp, parse } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import type { Facts } from './facts.ts';
import type { Wishes } from './wishes.ts';

/** What there is at the operators' door, and what for. */
const INDEX: Readonly<Record<string, string>> = {
  '/status': 'who owns what, flags, comparisons and the newest differences, what is under way',
  '/explain?method=GET&path=/': 'where a request would go, and why; add &customer=C for somebody',
  '/holds?since=0': 'how long writes were held while ownership moved',
  '/upstreams': 'whether each upstream answers, and why not',
  '/metrics': 'counters and times, for Prometheus',
  '/readyz': 'whether it can serve',
  '/livez': 'whether it runs, and which build',
};
const EXPLAIN_USAGE = 'ask like /explain?method=GET&path=/api/x&customer=C, each once';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const asked = z.strictObject({
  method: z.string().min(1).toUpperCase().default('GET'),
  path: z.string().min(1).describe('the request target, such as /api/x?y=z'),
  customer: z
    .string()
    .optional()
    .transform((name) => name || undefined),
  key: z
    .string()
    .optional()
    .transform((name) => name || undefined)
    .describe('whom it is about, where another header than the customer’s says so'),
});

/**
 * The operator's side of the facade: health, what it believes and does, metrics.
 * @param wishes what the engine says of the flags' wishes
 */
export function buildAdmin(facts: Facts, wishes: () => Promise<Wishes>, log: Logger): Express {
  const routes = Router();
  routes.get('/', (_req, res) => {
    res.json({ name: 'facade', for: 'operators', routes: INDEX });
  });
  routes.get('/status', async (_req, res) => {
    const [status, told] = await Promise.all([facts.status(), wishes()]);
    const capabilities = status.capabilities.map((capability) => {
      return { ...capability, wish: told?.[capability.name] ?? null };
    });
    res.json({ ...status, engine: told === null ? 'away' : 'answers', capabilities });
  });
  routes.get('/holds', async (req, res) => {
    const since = Number(req.query['since'] ?? 0);
    res.json(await facts.holds(Number.isFinite(since) ? since : 0));
  });
  routes.get('/upstreams', async (_req, res) => {
    res.json({ upstreams: await facts.upstreams() });
  });
  routes.get('/metrics', async (_req, res) => {
    res.type(METRICS_TYPE).send(await facts.metrics());
  });
  routes.get('/explain', async (req, res) => {
    res.json(await facts.explain(parse(asked, { ...req.query }, 'query', EXPLAIN_USAGE)));
  });
  const isReady = (what: 'routing' | 'monolith') => async () => (await facts.readiness())[what];
  return createHttpApp({
    name: 'facade',
    log,
    routes: [routes],
    readiness: {
      routing: isReady('routing'),
      monolith: isReady('monolith'),
      redis: async () => {
        const { redis } = await facts.readiness();
        if (redis !== null) throw new Error(redis);
        return true;
      },
      flags: async () => {
        const { ok, note } = (await facts.readiness()).flags;
        if (!ok) throw new Error(note ?? 'the flags were never read');
        return note === null || { note };
      },
    },
  });
}
