import { upstreamSettings } from '../../routing/index.ts';
import type { FigConfig } from '../../routing/index.ts';
import type { UpstreamFailures } from '../counting/index.ts';
import type { ConnectionLimits } from './connections.ts';
import { Upstream } from './upstream.ts';

const LONGEST_PATIENCE_MS = 5_000;
/** A client may not have all of what there is for itself. */
const SHARE = 0.75;

/** How many of so many one client's address may have where the configuration does not say. */
export function clientShare(all: number): number {
  return Math.ceil(all * SHARE);
}

/** The servers behind the facade, by name. One whose settings stay keeps its connections. */
export class Upstreams {
  readonly #failures: UpstreamFailures;
  #known: ReadonlyMap<string, Upstream> = new Map();
  #limits = '';
  /** What each was made of. */
  readonly #described = new WeakMap<Upstream, string>();
  /** Requests that began under an earlier configuration may still ask for these. */
  readonly #retired = new Map<string, Upstream>();
  readonly #leaving = new Set<Upstream>();

  constructor(failures: UpstreamFailures) {
    this.#failures = failures;
  }

  /** @throws TypeError when a URL is none */
  adopt({ upstreams, limits }: Pick<FigConfig, 'upstreams' | 'limits'>): void {
    const before = this.#known;
    const share = connectionLimits(limits);
    const isAsBefore = JSON.stringify(share) === this.#limits;
    this.#limits = JSON.stringify(share);
    this.#known = new Map(
      Object.entries(upstreams).map(([name, settings]) => {
        const known = before.get(name);
        const described = JSON.stringify(settings);
        const stays = isAsBefore && known && this.#described.get(known) === described;
        const upstream = stays
          ? known
          : new Upstream(name, upstreamSettings(settings), share, this.#failures);
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

function connectionLimits({
  connections,
  clientConnections = clientShare(connections),
  waiting,
  upgrades: streams,
  clientUpgrades: clientStreams = clientShare(streams),
  requestMs,
}: FigConfig['limits']): ConnectionLimits {
  const patienceMs = Math.min(LONGEST_PATIENCE_MS, requestMs / 4);
  return { connections, clientConnections, waiting, streams, clientStreams, patienceMs };
}
