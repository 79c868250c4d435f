import { Router } from 'express';
import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LATE, within } from '../within.ts';

/** A gauge whose values are read when a monitor asks. */
export interface Figure {
  /** By the rules of Prometheus: `fig_`, what it is, its unit. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** May be asked at any time; one that throws, or takes longer than 4 s, is left out of that answer. */
  read(): Promise<readonly FigureValue[]> | readonly FigureValue[];
}

/** One value of a figure. Labels have few values: names of routes, capabilities, states, and no ids. */
export interface FigureValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
}

/** In seconds, as far as a client is likely to wait. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A monitor usually waits 10 s, and then has nothing of the process at all. */
const READ_MS = 4_000;

let ofProcess: Registry | undefined;

/** What Node says of the process itself: memory, processor, lag of the event loop. Once a process, from the first look on. */
export function processRegistry(): Registry {
  if (!ofProcess) {
    ofProcess = new Registry();
    collectDefaultMetrics({ register: ofProcess });
  }
  return ofProcess;
}

/** The metrics of one app. */
export interface Metrics {
  /** Measures each request that passes. */
  readonly measure: RequestHandler;
  /** `GET /metrics`. */
  readonly routes: Router;
}

/** Requests by route, the process itself, and the given figures, in the form that Prometheus reads. */
export function createMetrics(figures: readonly Figure[]): Metrics {
  const registry = new Registry();
  const requests = new Histogram({
    name: 'fig_http_request_duration_seconds',
    help: 'From the head of a request to the end of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers: [registry],
  });
  for (const figure of figures) {
    registry.registerMetric(asGauge(figure));
  }
  const routes = Router();
  routes.get('/metrics', async (_req, res) => {
    const all = Registry.merge([registry, processRegistry()]);
    res.type(all.contentType).send(await all.metrics());
  });
  return {
    routes,
    measure(req, res, next) {
      const startedAt = performance.now();
      res.once('close', () => {
        const route: unknown = req.route?.path;
        requests.observe(
          {
            method: req.method,
            // As it is declared, so that no id becomes a label.
            route: typeof route === 'string' ? `${req.baseUrl}${route}` : 'none',
            // An answer that was cut off has no status that its client could know.
            status: res.writableFinished ? res.statusCode : 0,
          },
          (performance.now() - startedAt) / 1_000,
        );
      });
      next();
    },
  };
}

function asGauge({ name, help, labels = [], read }: Figure): Gauge {
  return new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [],
    async collect() {
      // What could not be read is absent, which a monitor can tell from a value.
      const values = await within(READ_MS, Promise.resolve().then(read)).catch(() => []);
      this.reset();
      // Of a figure without labels, that has made a 0.
      if (labels.length === 0) this.remove();
      if (values === LATE) return;
      for (const { value, labels: of = {} } of values) this.set(of, value);
    },
  });
}
