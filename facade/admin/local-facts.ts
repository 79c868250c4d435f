import { AggregatorRegistry, Registry } from 'prom-client';
import type { MetricObject } from 'prom-client';
import { processRegistry } from '../../chassis/web/index.ts';
import { flagsReadiness, sharesOf } from '../../routing/index.ts';
import type { Flags } from '../../routing/index.ts';
import type { Capability } from '../match/index.ts';
import { snapshotOf } from '../forward/index.ts';
import type { FacadeDeps } from '../forward/index.ts';
import { causeOf, rowOf } from '../counting/index.ts';
import { explain } from '../route/index.ts';
import type { Asked, Explanation } from '../route/index.ts';
import type { CapabilityStatus, Facts, Readiness, Status, UpstreamReach } from './facts.ts';
import { gatewayTroubles } from './gateway-troubles.ts';
import { createRegistry } from './metrics.ts';
import type { TrafficCount } from './traffic.ts';

/** What this process knows. */
export class LocalFacts implements Facts {
  /** Of the configuration in use. */
  readonly #deps: () => FacadeDeps;
  readonly #registry: ReturnType<typeof createRegistry>;

  constructor(deps: () => FacadeDeps) {
    this.#deps = deps;
    this.#registry = createRegistry(deps);
  }

  status(): Promise<Status> {
    const { routes, counters, feed, experiments, holds, flags, upstreams } = this.#deps();
    return Promise.resolve({
      capabilities: routes.capabilities.map((each) => this.#statusOf(each)),
      routingNews: feed.live ? 'pushed' : 'polled',
      flagsKnown: flags.state().read,
      flags: flags.state(),
      breakers: upstreams.all().flatMap(({ name, resilience: { breaker } }) => {
        return breaker ? [{ upstream: name, state: breaker.state, opened: breaker.opened }] : [];
      }),
      instances: upstreams
        .all()
        .flatMap(({ name, instances }) => instances.map((each) => ({ upstream: name, ...each }))),
      gateway: gatewayTroubles(this.#deps()),
      inFlight: counters.inFlight,
      experimentsRunning: experiments.running,
      requests: [...counters.requests()],
      holds: { next: holds.sequence },
    });
  }

  #statusOf(capability: Capability): CapabilityStatus {
    const { counters, ownershipCache, ownWrites, experiments, flags } = this.#deps();
    const row = rowOf(capability);
    return {
      name: capability.name,
      ...ownershipCache.ofDefault(capability),
      cohorts: ownershipCache.cohortsOf(capability),
      flags: sharesOf(capability.name, flags),
      experiments: experiments.findings(capability),
      pinnedCustomers: ownWrites.of(capability).size,
      heldNow: counters.heldNow[row] ?? 0,
      held: counters.held[row] ?? 0,
      fenced: counters.fenced[row] ?? 0,
      retried: counters.retried[row] ?? 0,
    };
  }

  holds(since: number): ReturnType<Facts['holds']> {
    const { holds } = this.#deps();
    return Promise.resolve({ next: holds.sequence, holds: holds.since(since) });
  }

  metrics(): Promise<string> {
    return this.#all().metrics();
  }

  traffic(): Promise<readonly TrafficCount[]> {
    const { counters } = this.#deps();
    const counts = new Map<string, { requests: number; errors: number }>();
    for (const { capability, side, status, count } of counters.requests()) {
      const known = counts.get(`${capability} ${side}`) ?? { requests: 0, errors: 0 };
      known.requests += count;
      if (status >= 500) known.errors += count;
      counts.set(`${capability} ${side}`, known);
    }
    const traffic = [...counters.latencies()].map(({ capability, side, buckets }) => {
      const { requests = 0, errors = 0 } = counts.get(`${capability} ${side}`) ?? {};
      return { capability, side, requests, errors, buckets };
    });
    return Promise.resolve(traffic);
  }

  /** For whoever puts the metrics of several processes together. */
  rawMetrics(): Promise<MetricObject[]> {
    return this.#all().getMetricsAsJSON();
  }

  /** What is counted here, and what Node says of the process. */
  #all(): Registry {
    return Registry.merge([this.#registry, processRegistry()]);
  }

  explain(asked: Asked): Promise<Explanation> {
    const deps = this.#deps();
    const explained = explain(asked, snapshotOf(deps), deps);
    const notes = [...explained.notes, ...breakerNotes(explained, deps)];
    return Promise.resolve({ ...explained, notes });
  }

  upstreams(): Promise<readonly UpstreamReach[]> {
    return Promise.all(
      this.#deps()
        .upstreams.all()
        .map(async (upstream) => {
          const { name, url } = upstream;
          const error = await upstream.trouble();
          const trouble = error ? { cause: causeOf(error), error: error.message } : null;
          return { name, url, trouble };
        }),
    );
  }

  async readiness(): Promise<Readiness> {
    const { routes, ownershipCache, flags, monolith, redis, feed } = this.#deps();
    const { capabilities } = routes;
    const decisive = capabilities.some(({ replicated }) => !replicated);
    const unowned = capabilities.find(
      (each) => !each.replicated && !ownershipCache.ofDefault(each).known,
    );
    const readiness = flagsReadiness(flags.state(), decisive);
    return {
      flags: readiness.ok && unowned ? { ok: false, note: unownedText(unowned, flags) } : readiness,
      routing: ownershipCache.complete,
      routingAgeMs: feed.ageMs,
      monolith: (await monolith.trouble()) === undefined,
      redis: redis?.trouble() ?? null,
    };
  }
}

/** What the breaker of the server that would be asked makes of it. */
function breakerNotes(
  { kind, reason, upstream }: Explanation,
  { upstreams }: Pick<FacadeDeps, 'upstreams'>,
): readonly string[] {
  const resilience = upstream ? upstreams.get(upstream.name).resilience : undefined;
  if (!upstream || resilience?.breaker?.state !== 'open') return [];
  const isFallback = kind === 'read' && reason === 'flag' && resilience.fallsBack;
  const then = isFallback ? 'the owner answers instead' : 'the facade refuses the request';
  return [`the breaker of ${upstream.name} is open: nothing is sent to it, and ${then}`];
}

function unownedText({ flags: { writes } }: Capability, flags: Flags): string {
  return `${writes} asks for nothing, so neither side takes the writes: ${flags.switch(writes).refused ?? ''}`;
}

/** The metrics of several processes as one. */
export function mergedMetrics(parts: readonly MetricObject[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...parts]).metrics();
}
