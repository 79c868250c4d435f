import { Router } from 'express';
import type { Express } from 'express';
import { createHttpApp, Problem } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import type { Facts, Readiness } from './facts.ts';

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** The operator's side of the facade: health, what it believes and does, metrics. */
export function buildAdmin(facts: Facts, log: Logger): Express {
  const routes = Router();
  routes.get('/status', async (_req, res) => {
    res.json(await facts.status());
  });
  routes.get('/holds', async (req, res) => {
    const since = Number(req.query['since'] ?? 0);
    res.json(await facts.holds(Number.isFinite(since) ? since : 0));
  });
  routes.get('/metrics', async (_req, res) => {
    res.type(METRICS_TYPE).send(await facts.metrics());
  });
  routes.get('/explain', async (req, res) => {
    const { method = 'GET', path, customer } = req.query;
    if (typeof path !== 'string' || typeof method !== 'string') {
      throw new Problem(400, 'invalid_request', 'say which request: ?method=GET&path=/api/x');
    }
    const who = typeof customer === 'string' && customer !== '' ? customer : undefined;
    res.json(await facts.explain({ method: method.toUpperCase(), path, customer: who }));
  });
  const isReady = (what: keyof Readiness) => async () => (await facts.readiness())[what];
  return createHttpApp({
    name: 'facade',
    log,
    routes: [routes],
    readiness: {
      routing: isReady('routing'),
      flags: isReady('flags'),
      monolith: isReady('monolith'),
    },
  });
}
