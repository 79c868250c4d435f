import type { FigConfig } from '../../routing/index.ts';
import { encodedSlash, isSafe, readingsOf } from '../request/index.ts';
import { capabilityOf, Indexes } from './capability.ts';
import type { Capability } from './capability.ts';
import { pathReader } from './parameters.ts';
import { RouteTable } from './routes.ts';

/** A pattern of the configuration, and what it stands for. */
interface Route<T> {
  readonly pattern: string;
  readonly of: T;
  /** Paths that the pattern fits, and that are not meant. */
  readonly except?: RouteTable<true> | undefined;
}

/** A pattern whose paths belong to a capability. */
interface OwnRoute extends Route<Capability> {
  readonly read: ReadMatch;
  /** Of a write that changes nothing else. */
  readonly write: WriteMatch;
}

/** A request of no capability. */
export interface PassMatch {
  readonly kind: 'pass';
  readonly capability: undefined;
  /** The upstream that answers it; the monolith when left out. */
  readonly service?: string;
  readonly pattern?: string;
}

/** A read of a capability. */
export interface ReadMatch {
  readonly kind: 'read';
  readonly capability: Capability;
  /** Lower-case names of the headers that must be the same in both sides' answers. */
  readonly comparedHeaders: readonly string[];
}

/** A write that changes capabilities. */
export interface WriteMatch {
  readonly kind: 'write';
  /** Whose route this is; undefined for a route of the monolith that touches capabilities. */
  readonly capability: Capability | undefined;
  /** Every capability that this write changes, at least one; the route's own first. */
  readonly changes: readonly Capability[];
}

/** What the configuration says of a request, whatever flags and owners are. */
export type Match = PassMatch | ReadMatch | WriteMatch;

/** What a route means: the capability it belongs to and those that its writes change. */
export interface Routes {
  readonly capabilities: readonly Capability[];
  /** @throws Problem 400 for a path with encoded slashes that other servers could match otherwise */
  match(method: string, path: string): Match;
  /** The pattern that such a request matches. */
  patternOf(method: string, path: string): string | undefined;
}

const PASS: Match = { kind: 'pass', capability: undefined };

/** The capability that a request is counted for. */
export function countedFor(match: Match): Capability | undefined {
  return match.kind === 'write' ? match.changes[0] : match.capability;
}

/** Stands for all methods that are not listed. */
const OTHER = '*';
const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', OTHER];
const NONE: readonly never[] = [];

/** Compiles the routes of a configuration. */
export function compileRoutes(config: FigConfig, indexes = new Indexes()): Routes {
  const byName = new Map<string, Capability>();
  const owned = new Map(METHODS.map((method) => [method, new RouteTable<OwnRoute>()]));
  const plain = pathReader(config);
  for (const [name, settings] of Object.entries(config.capabilities)) {
    const capability = capabilityOf(name, settings, config, indexes.of(name));
    byName.set(name, capability);
    for (const given of settings.routes) {
      const {
        path,
        methods,
        except = [],
        comparedHeaders = settings.comparedHeaders,
      } = typeof given === 'string' ? { path: given } : given;
      const read: ReadMatch = { kind: 'read', capability, comparedHeaders };
      const write: WriteMatch = { kind: 'write', capability, changes: [capability] };
      const route = { pattern: path, of: capability, except: tableOf(except), read, write };
      for (const method of methodsOf(methods)) owned.get(method)?.add(path, route);
    }
  }
  const services = serviceTable(config);
  const touched = new Map<string, RouteTable<Route<readonly Capability[]>>>();
  for (const { method, path, capabilities } of config.touches) {
    const table = touched.get(method) ?? new RouteTable<Route<readonly Capability[]>>();
    touched.set(method, table);
    const changed = capabilities.flatMap((name) => byName.get(name) ?? []);
    table.add(path, { pattern: path, of: changed });
  }
  const ownRouteOf = (method: string, given: string): OwnRoute | undefined => {
    const path = plain(given);
    const table = owned.get(method) ?? owned.get(OTHER);
    const found = table?.match(path);
    if (found?.except?.match(path) === undefined) return found;
    return table?.match(path, ({ except }) => except?.match(path) === undefined);
  };
  const touchedBy = (method: string, path: string): readonly Capability[] =>
    touched.get(method)?.match(plain(path))?.of ?? NONE;

  const passed = (path: string): Match => services.match(plain(path)) ?? PASS;

  /** Servers decode an encoded slash in different ways: another reading must not go elsewhere. */
  const checkReadings = (method: string, path: string): void => {
    const meant = ownRouteOf(method, path)?.of;
    for (const reading of readingsOf(path)) {
      const isSame = ownRouteOf(method, reading)?.of === meant;
      const touches = isSafe(method) ? 0 : touchedBy(method, reading).length;
      if (meant?.passesEncodedSlashes === true) continue;
      if (meant !== undefined || !isSame || touches > 0) throw encodedSlash();
    }
  };

  return {
    capabilities: [...byName.values()],
    match(method, path) {
      if (path.includes('%')) checkReadings(method, path);
      const own = ownRouteOf(method, path);
      if (isSafe(method)) return own?.read ?? passed(path);
      const changed = touchedBy(method, path);
      if (changed.length === 0) return own?.write ?? passed(path);
      const capability = own?.of;
      if (capability === undefined) return { kind: 'write', capability, changes: changed };
      const others = changed.filter((each) => each !== capability);
      return { kind: 'write', capability, changes: [capability, ...others] };
    },
    patternOf: (method, path) =>
      (
        ownRouteOf(method, path) ??
        services.match(plain(path)) ??
        touched.get(method)?.match(plain(path))
      )?.pattern,
  };
}

function serviceTable({ services }: FigConfig): RouteTable<PassMatch> {
  const table = new RouteTable<PassMatch>();
  for (const [service, patterns] of Object.entries(services)) {
    for (const pattern of patterns) {
      table.add(pattern, { kind: 'pass', capability: undefined, service, pattern });
    }
  }
  return table;
}

function tableOf(paths: readonly string[]): RouteTable<true> | undefined {
  if (paths.length === 0) return undefined;
  const table = new RouteTable<true>();
  for (const path of paths) table.add(path, true);
  return table;
}

/** A server that answers GET answers HEAD (RFC 9110 9.3.2). */
function methodsOf(named: readonly string[] | undefined): readonly string[] {
  if (named === undefined) return METHODS;
  return named.includes('GET') ? [...named, 'HEAD'] : named;
}
