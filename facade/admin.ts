import { Router } from 'express';
import type { Express } from 'express';
import { createHttpApp } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import type { Flags } from '../strangler/routing/index.ts';
import type { Core } from './core.ts';
import type { Experiments } from './experiment.ts';
import { createRegistry } from './metrics.ts';

const REACH_TIMEOUT_MS = 1_000;

interface AdminOptions {
  readonly core: Core;
  readonly experiments: Experiments;
  readonly flags: Flags;
  readonly log: Logger;
}

/** The operator's side of the facade: health, what it believes and does, metrics. */
export function buildAdmin({ core, experiments, flags, log }: AdminOptions): Express {
  const routes = Router();
  const registry = createRegistry(core.counters, experiments, core.routes.capabilities);
  routes.get('/status', (_req, res) => {
    res.json(statusOf(core, experiments, flags));
  });
  routes.get('/holds', (req, res) => {
    const since = Number(req.query['since'] ?? 0);
    const holds = core.holds.since(Number.isFinite(since) ? since : 0);
    res.json({ next: core.holds.sequence, holds });
  });
  routes.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  return createHttpApp({
    name: 'facade',
    log,
    routes: [routes],
    readiness: {
      routing: () => Promise.resolve(core.book.complete),
      flags: () => Promise.resolve(flags.loaded()),
      monolith: () => isReachable(core.monolith.url),
    },
  });
}

/** Any answer counts: what a monolith has at `/` is its own affair. */
async function isReachable(url: string): Promise<boolean> {
  const answer = await fetch(url, {
    method: 'HEAD',
    redirect: 'manual',
    signal: AbortSignal.timeout(REACH_TIMEOUT_MS),
  });
  await answer.body?.cancel();
  return true;
}

function statusOf(core: Core, experiments: Experiments, flags: Flags): Record<string, unknown> {
  const { counters, book, notes, holds } = core;
  const capabilities = core.routes.capabilities.map((capability) => ({
    name: capability.name,
    ...book.of(capability),
    flags: {
      shadow: flags.share(capability.flags.shadow),
      reads: flags.share(capability.flags.reads),
      writes: flags.isEnabled(capability.flags.writes),
    },
    experiments: experiments.findings(capability),
    pinnedCustomers: notes[capability.index]?.size ?? 0,
    heldNow: counters.heldNow[capability.index] ?? 0,
    held: counters.held[capability.index] ?? 0,
    fenced: counters.fenced[capability.index] ?? 0,
    retried: counters.retried[capability.index] ?? 0,
  }));
  return {
    capabilities,
    routingNews: core.feed.live ? 'pushed' : 'polled',
    inFlight: counters.inFlight,
    experimentsRunning: experiments.running,
    requests: [...counters.requests()],
    holds: { next: holds.sequence },
  };
}
