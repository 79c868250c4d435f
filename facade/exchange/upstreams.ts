import type { FigConfig } from '../../strangler/routing/index.ts';
import { Upstream } from './upstream.ts';

/** The servers behind the facade, by name. One whose URL stays keeps its connections. */
export class Upstreams {
  #known: ReadonlyMap<string, Upstream> = new Map();
  #limit = 0;
  /** Requests that began under an earlier configuration may still ask for these. */
  readonly #retired = new Map<string, Upstream>();
  readonly #leaving = new Set<Upstream>();

  /** @throws TypeError when a URL is none */
  adopt({ upstreams, limits }: Pick<FigConfig, 'upstreams' | 'limits'>): void {
    const before = this.#known;
    const isAsBefore = limits.connections === this.#limit;
    this.#limit = limits.connections;
    this.#known = new Map(
      Object.entries(upstreams).map(([name, url]) => {
        const known = before.get(name);
        const stays = isAsBefore && known?.url === url.replace(/\/+$/, '');
        return [name, stays ? known : new Upstream(name, url, limits.connections)];
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

  async close(): Promise<void> {
    await Promise.all([...this.#known.values(), ...this.#leaving].map((each) => each.close()));
  }
}
