import { Registry } from 'prom-client';
import type { Capability } from '../match/index.ts';
import { BUCKETS } from '../counting/index.ts';
import type { Counters } from '../counting/index.ts';
import type { FacadeDeps } from '../forward/index.ts';
import type { BreakerState } from '../upstream/index.ts';

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** The part of a metric that a registry reads; prom-client's own would be fed on every request. */
interface Lazy {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How the figures of several processes become one; added up when left out. */
  readonly aggregator?: 'sum' | 'min' | 'max';
  values(): readonly Value[];
}

type Flags = FacadeDeps['flags'];

/**
 * A registry whose metrics are made of the counters at the moment of a scrape.
 * @param deps of the configuration in use
 */
export function createRegistry(deps: () => FacadeDeps): Registry {
  const { counters, failures, experiments, flags, upstreams } = deps();
  const capabilities = (): readonly Capability[] => deps().routes.capabilities;
  const registry = new Registry();
  const about = flagMetrics(flags, capabilities);
  for (const metric of [...trafficMetrics(counters), ...rowMetrics(counters), ...about]) {
    register(registry, metric);
  }
  register(registry, {
    name: 'fig_upstream_waiting',
    help: 'Requests that wait for a connection',
    type: 'gauge',
    values: () =>
      upstreams.all().map(({ name, waiting }) => ({ value: waiting, labels: { upstream: name } })),
  });
  register(registry, {
    name: 'fig_upstream_failures_total',
    help: 'Requests that an upstream did not answer, or not in full, by cause',
    type: 'counter',
    values: () =>
      [...failures.counts()].map(({ upstream, cause, count }) => ({
        value: count,
        labels: { upstream, cause },
      })),
  });
  for (const metric of resilienceMetrics(upstreams)) register(registry, metric);
  register(registry, {
    name: 'fig_experiments_total',
    help: 'Reads answered by both sides, by what came of it',
    type: 'counter',
    values: () =>
      capabilities().flatMap((capability) => {
        const {
          mismatches: _list,
          notCompared: _reasons,
          ...counts
        } = experiments.findings(capability);
        return Object.entries(counts).map(([outcome, value]) => ({
          value,
          labels: { capability: capability.name, outcome },
        }));
      }),
  });
  register(registry, {
    name: 'fig_experiments_skipped_total',
    help: 'Reads that were to be answered by both sides and were not compared, by reason',
    type: 'counter',
    values: () =>
      capabilities().flatMap((capability) =>
        Object.entries(experiments.findings(capability).notCompared).map(([reason, value]) => ({
          value,
          labels: { capability: capability.name, reason },
        })),
      ),
  });
  return registry;
}

const BREAKER_STATES: readonly BreakerState[] = ['closed', 'half_open', 'open'];

function resilienceMetrics(upstreams: FacadeDeps['upstreams']): readonly Lazy[] {
  return [
    {
      name: 'fig_breaker_state',
      help: 'Of how many processes the breaker of an upstream is in a state',
      type: 'gauge',
      values: () =>
        upstreams.all().flatMap(({ name, resilience: { breaker } }) =>
          (breaker ? BREAKER_STATES : []).map((state) => ({
            value: breaker?.state === state ? 1 : 0,
            labels: { upstream: name, state },
          })),
        ),
    },
    {
      name: 'fig_breaker_opened_total',
      help: 'How often the breaker of an upstream has opened',
      type: 'counter',
      values: () =>
        upstreams
          .all()
          .flatMap(({ name, resilience: { breaker } }) =>
            breaker ? [{ value: breaker.opened, labels: { upstream: name } }] : [],
          ),
    },
    {
      name: 'fig_instances_ejected',
      help: 'How many processes of an upstream get no requests, since they have failed',
      type: 'gauge',
      aggregator: 'max',
      values: () =>
        upstreams.all().map(({ name, instances }) => ({
          value: instances.filter(({ ejected }) => ejected).length,
          labels: { upstream: name },
        })),
    },
    {
      name: 'fig_registry_entries_ignored',
      help: 'Entries of the registry of services without proof, or with an address outside the allowed networks',
      type: 'gauge',
      aggregator: 'max',
      values: () =>
        upstreams
          .all()
          .flatMap(({ name, registry, entriesIgnored }) =>
            registry ? [{ value: entriesIgnored, labels: { upstream: name } }] : [],
          ),
    },
    {
      name: 'fig_retries_refused_total',
      help: 'Requests that were not sent again, since too many had been',
      type: 'counter',
      values: () =>
        upstreams
          .all()
          .flatMap(({ name, resilience: { retries } }) =>
            retries ? [{ value: retries.refused, labels: { upstream: name } }] : [],
          ),
    },
  ];
}

function flagMetrics(flags: Flags, capabilities: () => readonly Capability[]): readonly Lazy[] {
  return [
    {
      name: 'fig_flags_readable',
      help: 'Whether the flags can be read where they are kept: 1 or 0',
      type: 'gauge',
      aggregator: 'min',
      values: () => [{ value: flags.state().trouble === null ? 1 : 0, labels: {} }],
    },
    {
      name: 'fig_flags_unreadable_seconds',
      help: 'For how long the flags have not been readable; 0 while they are',
      type: 'gauge',
      aggregator: 'max',
      values: () => {
        const { trouble } = flags.state();
        return [
          {
            value: trouble === null ? 0 : (Date.now() - (trouble.since ?? Date.now())) / 1_000,
            labels: {},
          },
        ];
      },
    },
    {
      name: 'fig_flag_refused',
      help: 'Whether a switch is neither on nor off for everybody, and so asks for nothing: 1 or 0',
      type: 'gauge',
      aggregator: 'max',
      values: () =>
        capabilities().map(({ flags: { writes } }) => {
          const { refused, made } = flags.switch(writes);
          return { value: refused !== null && made ? 1 : 0, labels: { flag: writes } };
        }),
    },
  ];
}

function register(
  registry: Registry,
  { name, help, type, aggregator = 'sum', values }: Lazy,
): void {
  const metric = {
    name,
    help,
    aggregator,
    get: () => Promise.resolve({ name, help, type, aggregator, values: values() }),
  };
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}

function trafficMetrics(counters: Counters): readonly Lazy[] {
  return [
    {
      name: 'fig_requests_total',
      help: 'Answers to clients; side is who gave them',
      type: 'counter',
      values: () =>
        [...counters.requests()].map(({ capability, side, status, count }) => ({
          value: count,
          labels: { capability, side, status },
        })),
    },
    {
      name: 'fig_request_duration_seconds',
      help: 'From the head of the request to the end of the answer',
      type: 'histogram',
      values: () => [...counters.latencies()].flatMap(histogram),
    },
    {
      name: 'fig_requests_in_flight',
      help: 'Requests that are being answered',
      type: 'gauge',
      values: () => [{ value: counters.inFlight, labels: {} }],
    },
    {
      name: 'fig_slow_clients_total',
      help: 'Requests that were ended because their clients neither sent nor read on',
      type: 'counter',
      values: () => [{ value: counters.slow, labels: {} }],
    },
    {
      name: 'fig_client_sockets',
      help: 'Connections of clients that are open',
      type: 'gauge',
      values: () => [{ value: counters.sockets, labels: {} }],
    },
    {
      name: 'fig_client_sockets_closed_total',
      help: "Connections that were closed since their client's address had too many: idle, or new and refused",
      type: 'counter',
      values: () =>
        Object.entries(counters.socketsClosed).map(([reason, value]) => ({
          value,
          labels: { reason },
        })),
    },
    {
      name: 'fig_rate_limited_total',
      help: 'Requests that were refused since their client was over a limit',
      type: 'counter',
      values: () => [...counters.limited].map(([limit, value]) => ({ value, labels: { limit } })),
    },
    {
      name: 'fig_version_requests_total',
      help: 'Requests by the version of the interface that their path names: `none` for a path without one',
      type: 'counter',
      values: () =>
        [...counters.versions].map(([version, value]) => ({ value, labels: { version } })),
    },
    {
      name: 'fig_cache_requests_total',
      help: 'Requests to routes whose answers are kept: `hit`, `miss`, `stale` (given since the upstream failed), `bypass`',
      type: 'counter',
      values: () => [...counters.cached].map(([result, value]) => ({ value, labels: { result } })),
    },
    {
      name: 'fig_rate_limits_shared',
      help: 'Whether requests are counted together with other processes, in Redis: 1 or 0',
      type: 'gauge',
      aggregator: 'min',
      values: () => {
        const { limitsAreShared } = counters;
        return limitsAreShared ? [{ value: limitsAreShared() ? 1 : 0, labels: {} }] : [];
      },
    },
    {
      name: 'fig_upgraded_connections',
      help: 'WebSockets that are open',
      type: 'gauge',
      values: () => [{ value: counters.upgraded, labels: {} }],
    },
  ];
}

function histogram({
  capability,
  side,
  buckets,
  sum,
}: ReturnType<Counters['latencies']> extends Generator<infer T> ? T : never): Value[] {
  const name = 'fig_request_duration_seconds';
  const labels = { capability, side };
  let total = 0;
  const values: Value[] = buckets.map((count, index) => {
    total += count;
    const le = BUCKETS[index] ?? '+Inf';
    return { value: total, labels: { ...labels, le }, metricName: `${name}_bucket` };
  });
  values.push({ value: sum, labels, metricName: `${name}_sum` });
  values.push({ value: total, labels, metricName: `${name}_count` });
  return values;
}

function rowMetrics(counters: Counters): readonly Lazy[] {
  type Column = 'held' | 'heldNow' | 'fenced' | 'retried' | 'fellBack';
  // Another configuration may bring more rows, and longer arrays.
  const perRow = (column: Column): (() => readonly Value[]) => {
    return () =>
      counters.rows
        .map((capability, row) => ({ value: counters[column][row] ?? 0, labels: { capability } }))
        .filter(({ labels }) => labels.capability !== '');
  };
  return [
    {
      name: 'fig_held_writes_total',
      help: 'Writes that waited while ownership moved, and were answered',
      type: 'counter',
      values: perRow('held'),
    },
    {
      name: 'fig_held_writes',
      help: 'Writes that wait for ownership right now',
      type: 'gauge',
      values: perRow('heldNow'),
    },
    {
      name: 'fig_fenced_total',
      help: 'Times a write was turned away by a fence and sent again',
      type: 'counter',
      values: perRow('fenced'),
    },
    {
      name: 'fig_retried_total',
      help: 'Requests sent once more after a connection broke',
      type: 'counter',
      values: perRow('retried'),
    },
    {
      name: 'fig_fallback_reads_total',
      help: 'Reads that the owner was asked instead, since the breaker of the other side was open',
      type: 'counter',
      values: perRow('fellBack'),
    },
  ];
}
