import type { FigConfig, SideName } from '../strangler/routing/index.ts';
import { RouteTable } from './routes.ts';

/** What the facade knows of one capability from the configuration. */
export interface Capability {
  readonly name: string;
  /** Place in arrays that are kept per capability; it stays when the configuration changes. */
  readonly index: number;
  readonly flags: { readonly reads: string; readonly writes: string; readonly shadow: string };
  /** Names of upstreams. */
  readonly upstreams: Readonly<Record<SideName, string>>;
  /**
   * Whether rows move between the sides. Where they don't, requests are all there is to move:
   * there is no fence, both sides are always fit to serve, and the flags alone decide.
   */
  readonly replicated: boolean;
  /** Body paths that may differ between the sides. */
  readonly ignore: readonly string[];
}

/** What a route means: the capability it belongs to and those that its writes change. */
export interface Routes {
  readonly capabilities: readonly Capability[];
  /** The capability whose path this is. */
  capabilityOf(path: string): Capability | undefined;
  /** Capabilities that a write to this path changes behind the facade's back. */
  touchedBy(method: string, path: string): readonly Capability[];
}

const NONE: readonly Capability[] = [];

/** Numbers capabilities; a name keeps its number for as long as the process lives. */
export class Indexes {
  readonly #byName = new Map<string, number>();

  of(name: string): number {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const index = this.#byName.size;
    this.#byName.set(name, index);
    return index;
  }
}

/** Compiles the routes of a configuration. */
export function compileRoutes(config: FigConfig, indexes = new Indexes()): Routes {
  const byName = new Map<string, Capability>();
  const owned = new RouteTable<Capability>();
  for (const [name, settings] of Object.entries(config.capabilities)) {
    const capability: Capability = {
      name,
      index: indexes.of(name),
      flags: { reads: `${name}.reads`, writes: `${name}.writes`, shadow: `${name}.shadow` },
      upstreams: { legacy: settings.legacy, extracted: settings.extracted },
      replicated: settings.databases !== undefined,
      ignore: settings.ignore.map(({ path }) => path),
    };
    byName.set(name, capability);
    for (const route of settings.routes) owned.add(route, capability);
  }
  const touched = new Map<string, RouteTable<readonly Capability[]>>();
  for (const { method, path, capabilities } of config.touches) {
    const table = touched.get(method) ?? new RouteTable<readonly Capability[]>();
    touched.set(method, table);
    table.add(
      path,
      capabilities.flatMap((name) => byName.get(name) ?? []),
    );
  }
  return {
    capabilities: [...byName.values()],
    capabilityOf: (path) => owned.match(path),
    touchedBy: (method, path) => touched.get(method)?.match(path) ?? NONE,
  };
}
