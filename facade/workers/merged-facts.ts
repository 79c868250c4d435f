import type { MetricObject } from 'prom-client';
import { Problem } from '../../chassis/index.ts';
import type { Asked, Explanation } from '../route/index.ts';
import type {
  BreakerStatus,
  GatewayTrouble,
  InstanceFacts,
  CapabilityStatus,
  Facts,
  Readiness,
  Status,
  TrafficCount,
  UpstreamReach,
} from '../admin/index.ts';
import type { Findings } from '../compare/index.ts';
import type { HoldLog } from '../counting/index.ts';
import { mergedMetrics } from '../admin/index.ts';
import type { WorkerPool } from './worker-pool.ts';

const TIMEOUT_MS = 1_500;
const KEPT_MISMATCHES = 50;

/** What all workers together know. */
export class MergedFacts implements Facts {
  readonly #pool: WorkerPool;
  readonly #holds: HoldLog;

  constructor(pool: WorkerPool, holds: HoldLog) {
    this.#pool = pool;
    this.#holds = holds;
  }

  async status(): Promise<Status> {
    const parts = (await this.#pool.askAll({ what: 'status' }, TIMEOUT_MS)) as Status[];
    if (parts.length === 0) throw noWorkers();
    return { ...parts.reduce(mergedStatus), holds: { next: this.#holds.sequence } };
  }

  holds(since: number): ReturnType<Facts['holds']> {
    return Promise.resolve({ next: this.#holds.sequence, holds: this.#holds.since(since) });
  }

  async metrics(): Promise<string> {
    const parts = await this.#pool.askAll({ what: 'metrics' }, TIMEOUT_MS);
    return mergedMetrics(parts as MetricObject[][]);
  }

  async traffic(): Promise<readonly TrafficCount[]> {
    const parts = await this.#pool.askAll({ what: 'traffic' }, TIMEOUT_MS);
    return (parts as (readonly TrafficCount[])[]).flat();
  }

  async explain(question: Asked): Promise<Explanation> {
    const [first] = await this.#pool.askAll({ what: 'explain', question }, TIMEOUT_MS);
    if (first === undefined) throw noWorkers();
    return first as Explanation;
  }

  async upstreams(): Promise<readonly UpstreamReach[]> {
    const [first, ...others] = (await this.#pool.askAll(
      { what: 'upstreams' },
      TIMEOUT_MS,
    )) as UpstreamReach[][];
    if (first === undefined) throw noWorkers();
    const troubled = others.flat().filter(({ trouble }) => trouble !== null);
    return first.map((each) => troubled.find(({ name }) => name === each.name) ?? each);
  }

  async readiness(): Promise<Readiness> {
    const parts = (await this.#pool.askAll({ what: 'readiness' }, TIMEOUT_MS)) as Readiness[];
    const flags = parts.map((part) => part.flags);
    const all = (what: 'routing' | 'monolith'): boolean =>
      parts.length > 0 && parts.every((part) => part[what]);
    return {
      routing: all('routing') && this.#pool.isComplete,
      routingAgeMs: oldest(parts.map(({ routingAgeMs }) => routingAgeMs)),
      monolith: all('monolith'),
      redis: parts.find(({ redis }) => redis !== null)?.redis ?? null,
      flags: {
        ok: parts.length > 0 && flags.every(({ ok }) => ok),
        note:
          (flags.find(({ ok }) => !ok) ?? flags.find(({ note }) => note !== null))?.note ?? null,
      },
    };
  }
}

function noWorkers(): Problem {
  return new Problem(503, 'no_workers', 'no worker answers; they may be starting');
}

function mergedStatus(left: Status, right: Status): Status {
  return {
    capabilities: left.capabilities.map((capability) => {
      const other = right.capabilities.find(({ name }) => name === capability.name);
      return other ? mergedCapability(capability, other) : capability;
    }),
    routingNews:
      left.routingNews === 'pushed' && right.routingNews === 'pushed' ? 'pushed' : 'polled',
    flagsKnown: left.flagsKnown && right.flagsKnown,
    flags: right.flags.trouble === null ? left.flags : right.flags,
    breakers: left.breakers.map((breaker) => {
      const other = right.breakers.find(({ upstream }) => upstream === breaker.upstream);
      return other ? mergedBreaker(breaker, other) : breaker;
    }),
    instances: left.instances.map((instance) => {
      const other = right.instances.find(
        ({ upstream, url }) => upstream === instance.upstream && url === instance.url,
      );
      return other ? mergedInstance(instance, other) : instance;
    }),
    gateway: mergedTroubles([...left.gateway, ...right.gateway]),
    inFlight: left.inFlight + right.inFlight,
    experimentsRunning: left.experimentsRunning + right.experimentsRunning,
    requests: mergedRequests([...left.requests, ...right.requests]),
    holds: left.holds,
  };
}

const STATES = ['closed', 'half_open', 'open'];

function mergedBreaker(left: BreakerStatus, right: BreakerStatus): BreakerStatus {
  const isWorse = STATES.indexOf(right.state) > STATES.indexOf(left.state);
  return { ...(isWorse ? right : left), opened: left.opened + right.opened };
}

/** Ejected where any process has ejected it: each sees its own requests only. */
function mergedInstance(left: InstanceFacts, right: InstanceFacts): InstanceFacts {
  return { ...left, load: left.load + right.load, ejected: left.ejected || right.ejected };
}

/** Each once, where any process has it. */
function mergedTroubles(troubles: readonly GatewayTrouble[]): readonly GatewayTrouble[] {
  const known = new Map(troubles.map((each) => [`${each.code} ${each.about}`, each]));
  return [...known.values()];
}

/** Null where one process does not know. */
function oldest(ages: readonly (number | null)[]): number | null {
  return ages.some((age) => age === null)
    ? null
    : Math.max(0, ...ages.filter((age) => age !== null));
}

/** Whoever knows of the later epoch knows better. */
function mergedCapability(left: CapabilityStatus, right: CapabilityStatus): CapabilityStatus {
  return {
    ...(right.epoch > left.epoch ? right : left),
    experiments: mergedFindings(left.experiments, right.experiments),
    // Each worker notes everybody's writes.
    pinnedCustomers: Math.max(left.pinnedCustomers, right.pinnedCustomers),
    heldNow: left.heldNow + right.heldNow,
    held: left.held + right.held,
    fenced: left.fenced + right.fenced,
    retried: left.retried + right.retried,
  };
}

function mergedFindings(left: Findings, right: Findings): Findings {
  return {
    compared: left.compared + right.compared,
    matched: left.matched + right.matched,
    mismatched: left.mismatched + right.mismatched,
    unsettled: left.unsettled + right.unsettled,
    errors: left.errors + right.errors,
    skipped: left.skipped + right.skipped,
    notCompared: summed(left.notCompared, right.notCompared),
    mismatches: [...left.mismatches, ...right.mismatches]
      .sort((a, b) => a.at.localeCompare(b.at))
      .slice(-KEPT_MISMATCHES),
  };
}

function summed(
  left: Findings['notCompared'],
  right: Findings['notCompared'],
): Findings['notCompared'] {
  const sums = { ...left };
  for (const [reason, count] of Object.entries(right)) {
    const known = reason as keyof typeof sums;
    sums[known] = (sums[known] ?? 0) + count;
  }
  return sums;
}

function mergedRequests(requests: Status['requests']): Status['requests'] {
  const merged = new Map<string, Status['requests'][number]>();
  for (const request of requests) {
    const { capability, side, status, count } = request;
    const key = `${capability} ${side} ${status}`;
    merged.set(key, { ...request, count: count + (merged.get(key)?.count ?? 0) });
  }
  return [...merged.values()];
}
