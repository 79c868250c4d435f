import { AggregatorRegistry } from 'prom-client';
import type { MetricObject } from 'prom-client';
import { flagsReadiness, sharesOf } from '../../strangler/routing/index.ts';
import type { Flags } from '../../strangler/routing/index.ts';
import type { RedisProbe } from '../../chassis/redis/index.ts';
import type { Capability } from '../match/index.ts';
import type { FacadeDeps, FacadeState } from '../forward/index.ts';
import type { Experiments } from '../compare/index.ts';
import type { Upstreams } from '../upstream/index.ts';
import { causeOf, rowOf } from '../counting/index.ts';
import { explain } from '../route/index.ts';
import type { Asked, Explanation } from '../route/index.ts';
import type { CapabilityStatus, Facts, Readiness, Status, UpstreamReach } from './facts.ts';
import type { HoldLog } from '../counting/index.ts';
import { createRegistry } from './metrics.ts';

interface LocalFactsOptions {
  /** The configuration in use. */
  readonly deps: () => FacadeDeps;
  readonly state: FacadeState;
  readonly upstreams: Pick<Upstreams, 'all'>;
  readonly holds: HoldLog;
  readonly experiments: Experiments;
  readonly flags: Flags;
  /** Absent where no Redis is to be used. */
  readonly redis: RedisProbe | undefined;
}

/** What this process knows. */
export class LocalFacts implements Facts {
  readonly #options: LocalFactsOptions;
  readonly #registry: ReturnType<typeof createRegistry>;

  constructor(options: LocalFactsOptions) {
    this.#options = options;
    const { state, experiments, deps, flags } = options;
    this.#registry = createRegistry(state, experiments, {
      capabilities: () => deps().routes.capabilities,
      flags,
      upstreams: () => options.upstreams.all(),
    });
  }

  status(): Promise<Status> {
    const { deps, state, experiments, holds, flags } = this.#options;
    const { counters, feed } = state;
    return Promise.resolve({
      capabilities: deps().routes.capabilities.map((each) => this.#statusOf(each)),
      routingNews: feed.live ? 'pushed' : 'polled',
      flagsKnown: flags.state().read,
      flags: flags.state(),
      inFlight: counters.inFlight,
      experimentsRunning: experiments.running,
      requests: [...counters.requests()],
      holds: { next: holds.sequence },
    });
  }

  #statusOf(capability: Capability): CapabilityStatus {
    const { state, experiments, flags } = this.#options;
    const { counters, ownershipCache, unreplicated } = state;
    const row = rowOf(capability);
    return {
      name: capability.name,
      ...ownershipCache.of(capability),
      cohorts: ownershipCache.cohortsOf(capability),
      flags: sharesOf(capability.name, flags),
      experiments: experiments.findings(capability),
      pinnedCustomers: unreplicated[capability.index]?.size ?? 0,
      heldNow: counters.heldNow[row] ?? 0,
      held: counters.held[row] ?? 0,
      fenced: counters.fenced[row] ?? 0,
      retried: counters.retried[row] ?? 0,
    };
  }

  holds(since: number): ReturnType<Facts['holds']> {
    const { holds } = this.#options;
    return Promise.resolve({ next: holds.sequence, holds: holds.since(since) });
  }

  metrics(): Promise<string> {
    return this.#registry.metrics();
  }

  /** For whoever puts the metrics of several processes together. */
  rawMetrics(): Promise<MetricObject[]> {
    return this.#registry.getMetricsAsJSON();
  }

  explain(asked: Asked): Promise<Explanation> {
    const { deps, flags } = this.#options;
    return Promise.resolve(explain(asked, { ...deps(), flags }));
  }

  upstreams(): Promise<readonly UpstreamReach[]> {
    return Promise.all(
      this.#options.upstreams.all().map(async (upstream) => {
        const { name, url } = upstream;
        const error = await upstream.trouble();
        const trouble = error ? { cause: causeOf(error), error: error.message } : null;
        return { name, url, trouble };
      }),
    );
  }

  async readiness(): Promise<Readiness> {
    const { deps, state, flags } = this.#options;
    const { capabilities } = deps().routes;
    const decisive = capabilities.some(({ replicated }) => !replicated);
    const unowned = capabilities.find(
      (each) => !each.replicated && !state.ownershipCache.of(each).known,
    );
    const readiness = flagsReadiness(flags.state(), decisive);
    return {
      flags: readiness.ok && unowned ? { ok: false, note: unownedText(unowned, flags) } : readiness,
      routing: state.ownershipCache.complete,
      monolith: (await deps().monolith.trouble()) === undefined,
      redis: this.#options.redis?.trouble() ?? null,
    };
  }
}

function unownedText({ flags: { writes } }: Capability, flags: Flags): string {
  return `${writes} asks for nothing, so neither side takes the writes: ${flags.switch(writes).refused ?? ''}`;
}

/** The metrics of several processes as one. */
export function mergedMetrics(parts: readonly MetricObject[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...parts]).metrics();
}
