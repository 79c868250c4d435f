import type { Status } from '../../facade/admin/index.ts';

type Mismatch = Status['capabilities'][number]['experiments']['mismatches'][number];

/** Differences of the same place, route and kind. */
export interface Group {
  readonly id: string;
  readonly capability: string;
  readonly route: string;
  /** With `*` for the places of lists, as the configuration's `ignore` has it. */
  readonly path: string;
  readonly kind: 'missing' | 'extra' | 'type' | 'value' | 'status' | 'header';
  readonly count: number;
  /** ms since 1970. */
  readonly first: number;
  readonly last: number;
  readonly example: {
    readonly request: string;
    readonly legacy: unknown;
    readonly extracted: unknown;
  };
}

/** The most frequent first. */
export function groupsOf(capability: string, mismatches: readonly Mismatch[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const { at, method, path: target, differences } of mismatches) {
    const time = Date.parse(at);
    for (const { path: place, legacy, extracted } of differences) {
      const path = place.replaceAll(/(^|\.)\d+(?=\.|$)/g, '$1*');
      const route = `${method} ${routeOf(target)}`;
      const kind = kindOf(place, legacy, extracted);
      const id = `${capability} ${route} ${path} ${kind}`;
      const known = groups.get(id);
      groups.set(id, {
        id,
        capability,
        route,
        path,
        kind,
        count: (known?.count ?? 0) + 1,
        first: Math.min(known?.first ?? time, time),
        last: Math.max(known?.last ?? time, time),
        example: { request: `${method} ${target}`, legacy, extracted },
      });
    }
  }
  return [...groups.values()].toSorted((a, b) => b.count - a.count || b.last - a.last);
}

function kindOf(place: string, legacy: unknown, extracted: unknown): Group['kind'] {
  if (place === '(status)') return 'status';
  if (place.startsWith('(')) return 'header';
  if (extracted === undefined) return 'missing';
  if (legacy === undefined) return 'extra';
  return typeof legacy === typeof extracted && Array.isArray(legacy) === Array.isArray(extracted)
    ? 'value'
    : 'type';
}

/** A path without its query, and with `:id` for what looks like one. */
function routeOf(target: string): string {
  const [path = ''] = target.split('?');
  return path
    .split('/')
    .map((part) => (/\d/.test(part) ? ':id' : part))
    .join('/');
}
