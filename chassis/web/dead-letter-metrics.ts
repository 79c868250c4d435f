import { Router } from 'express';

/** How many dead letters there are of one kind, and of which capability where it is about one. */
export interface DeadLetterCount {
  readonly kind: string;
  readonly capability?: string;
  readonly count: number;
}

/** `/metrics` of a process that has dead letters: counted when somebody looks. */
export function deadLetterMetrics(count: () => Promise<readonly DeadLetterCount[]>): Router {
  const router = Router();
  router.get('/metrics', async (_req, res) => {
    // Loaded here only: programs that serve nothing use the chassis, too.
    const { Gauge, Registry } = await import('prom-client');
    const counts = await count();
    const registry = new Registry();
    const gauge = new Gauge({
      name: 'fig_dead_letters',
      help: 'Work that was given up until an operator decides, by kind',
      labelNames: ['kind', 'capability'],
      registers: [registry],
    });
    for (const { count: value, ...labels } of counts) gauge.set(labels, value);
    res.type(registry.contentType).send(await registry.metrics());
  });
  return router;
}
