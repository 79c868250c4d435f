import { patternsOf } from '../../routing/index.ts';
import type { FigConfig, UpstreamPatterns } from '../../routing/index.ts';
import type { UpstreamFailures } from '../counting/index.ts';
import type { ConnectionLimits } from './connections.ts';
import type { Resilience } from './resilience.ts';
import { Upstream } from './upstream.ts';

const LONGEST_PATIENCE_MS = 5_000;
const CONNECT_MS = 2_000;
/** A client may not have all of what there is for itself. */
const SHARE = 0.75;

/** How many of so many one client's address may have where the configuration does not say. */
export function clientShare(all: number): number {
  return Math.ceil(all * SHARE);
}

/** The servers behind the facade, by name. One whose settings stay keeps its connections. */
export class Upstreams {
  readonly #failures: UpstreamFailures;
  readonly #guard: (upstream: string, patterns: UpstreamPatterns) => Resilience;
  #known: ReadonlyMap<string, Upstream> = new Map();
  /** What each was made of. */
  readonly #described = new WeakMap<Upstream, string>();
  /** Requests that began under an earlier configuration may still ask for these. */
  readonly #retired = new Map<string, Upstream>();
  readonly #leaving = new Set<Upstream>();

  /** @param guard makes what keeps the others from suffering when this one does */
  constructor(
    failures: UpstreamFailures,
    guard: (upstream: string, patterns: UpstreamPatterns) => Resilience,
  ) {
    this.#failures = failures;
    this.#guard = guard;
  }

  /** @throws TypeError when a URL is none */
  adopt({
    upstreams,
    limits: forAll,
    gateway,
  }: Pick<FigConfig, 'upstreams' | 'limits' | 'gateway'>): void {
    const before = this.#known;
    this.#known = new Map(
      Object.entries(upstreams).map(([name, settings]) => {
        const known = before.get(name);
        const patterns = patternsOf(gateway.resilience, name);
        const limits = connectionLimits(forAll, patterns);
        const described = JSON.stringify([settings, limits, patterns]);
        const upstream =
          known && this.#described.get(known) === described
            ? known
            : this.#made(name, settings, limits, patterns);
        this.#described.set(upstream, described);
        return [name, upstream];
      }),
    );
    const kept = new Set(this.#known.values());
    for (const [name, upstream] of before) {
      if (kept.has(upstream)) continue;
      upstream.retire();
      this.#retired.set(name, upstream);
      this.#leaving.add(upstream);
    }
  }

  #made(
    name: string,
    settings: FigConfig['upstreams'][string],
    limits: ConnectionLimits,
    patterns: UpstreamPatterns,
  ): Upstream {
    const resilience = this.#guard(name, patterns);
    return new Upstream(name, settings, limits, this.#failures, resilience);
  }

  get(name: string): Upstream {
    return (this.#known.get(name) ?? this.#retired.get(name)) as Upstream;
  }

  /** Those of the configuration in use. */
  all(): readonly Upstream[] {
    return [...this.#known.values()];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#known.values(), ...this.#leaving].map((each) => each.close()));
  }
}

function connectionLimits(forAll: FigConfig['limits'], own: UpstreamPatterns): ConnectionLimits {
  const { upgrades: streams, clientUpgrades: clientStreams = clientShare(streams) } = forAll;
  const { connections = forAll.connections, waiting = forAll.waiting } = own;
  const { clientConnections = clientShare(connections), requestMs } = forAll;
  const patienceMs = Math.min(LONGEST_PATIENCE_MS, requestMs / 4);
  const connectMs = own.timeouts?.connectMs ?? CONNECT_MS;
  return { connections, clientConnections, waiting, streams, clientStreams, patienceMs, connectMs };
}
