import { directivesOf } from './headers.ts';
import { headerOf } from '../../upstream/index.ts';

/** What an upstream allows with its answer. */
export interface Allowance {
  /** For how long it may be given again, in ms, counted from when the upstream made it. */
  readonly ttlMs: number;
  /** Whether it may be given to any caller, though its own had credentials. */
  readonly isPublic: boolean;
  /** Whether it may be given when it is old, and there is no other. */
  readonly mayBeStale: boolean;
  /** Lower-case names of the request headers that it depends on. */
  readonly vary: readonly string[];
}

/**
 * What may be done with an answer to GET, by RFC 9111 for a shared cache. What the upstream does not say is
 * taken from the route; a longer life than the route's is not.
 * @returns undefined where it may not be kept
 */
export function allowanceOf(
  status: number,
  fields: readonly string[],
  routeTtlMs: number,
): Allowance | undefined {
  if (status !== 200) return undefined;
  for (const name of ['set-cookie', 'trailer', 'content-range']) {
    if (headerOf({ headers: fields }, name) !== undefined) return undefined;
  }
  // It has no end that could be waited for, and its client wants each piece at once.
  if (/^\s*text\/event-stream\b/i.test(headerOf({ headers: fields }, 'content-type') ?? ''))
    return undefined;
  const said = directivesOf(fields);
  // `no-cache` and `private` may name headers; that they may be kept without these is not worth the risk.
  if (['no-store', 'no-cache', 'private'].some((name) => said.has(name))) return undefined;
  const vary = namesIn(headerOf({ headers: fields }, 'vary'));
  if (vary.includes('*')) return undefined;
  // Some servers compress by what the client takes, and don't say so.
  if (
    headerOf({ headers: fields }, 'content-encoding') !== undefined &&
    !vary.includes('accept-encoding')
  ) {
    vary.push('accept-encoding');
  }
  const ttlMs = Math.min(routeTtlMs, lifetimeOf(said, fields));
  if (!(ttlMs > 0)) return undefined;
  return {
    ttlMs,
    isPublic: said.has('public'),
    mayBeStale: !['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => said.has(name)),
    vary: vary.sort(),
  };
}

/** In ms; without end where the upstream does not say. A time that can't be read has passed. */
function lifetimeOf(said: ReadonlyMap<string, string>, fields: readonly string[]): number {
  const seconds = said.get('s-maxage') ?? said.get('max-age');
  const age = Number(headerOf({ headers: fields }, 'age') ?? 0) * 1_000;
  if (seconds !== undefined) return /^\d+$/.test(seconds) ? Number(seconds) * 1_000 - age : 0;
  const expires = headerOf({ headers: fields }, 'expires');
  if (expires === undefined) return Number.POSITIVE_INFINITY;
  const made = Date.parse(headerOf({ headers: fields }, 'date') ?? '') || Date.now();
  return (Date.parse(expires) || 0) - made - age;
}

function namesIn(vary: string | undefined): string[] {
  return (vary ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
