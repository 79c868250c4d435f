import { LATENCY_MS } from './fault-proxy.ts';
import type { Fault } from './fault-proxy.ts';
import { dependenceOf } from './cells.ts';
import type { Cell } from './cells.ts';
import { ROUTES } from './clients.ts';
import type { Route, Seen } from './clients.ts';
import { TIMES } from './times.ts';

/** What one route's clients saw while the fault lasted, beside the time just before. */
export interface RouteReport {
  readonly route: Route;
  readonly dependence: ReturnType<typeof dependenceOf>;
  /** How often each answer came. */
  readonly answers: Readonly<Record<string, number>>;
  /** In ms, of all answers. */
  readonly p50: number;
  readonly p99: number;
  readonly p99Before: number;
  /** The longest that a client waited for something else than what it had asked for. */
  readonly slowestFailureMs: number | null;
}

/** What was measured in one cell. */
export interface Measured {
  readonly cell: Cell;
  readonly before: readonly Seen[];
  readonly during: readonly Seen[];
  /** Requests that the target's clients have sent in the ten seconds until the fault's end. */
  readonly recent: number;
  /** What has reached the target meanwhile. */
  readonly arrived: number;
  readonly faultMs: number;
}

/** How many requests reached a server that fails altogether, beside those that clients have sent. */
export interface Load {
  readonly sent: number;
  readonly arrived: number;
  /** So many may arrive, retries included. */
  readonly allowed: number;
}

const SLACK_MS = 1_000;
/** Answers of an open breaker come at once; the machine may be busy. */
const SHED_MS = 50;
const LEAST = 3;
/** As the retry budget is by default. */
const BUDGET = 0.2;
const PER_SECOND = 3;
const REFUSALS = new Set([
  '502 upstream_unavailable',
  '503 upstream_ill',
  '503 upstream_busy',
  '504 upstream_timeout',
  // The facade has sent the write again while its first attempt was still under way.
  '409 request_in_flight',
]);
/** With these an answer is late, and no more. */
const ONLY_SLOW: ReadonlySet<Fault> = new Set<Fault>(['latency', 'bandwidth']);
const FAILS_ALTOGETHER: ReadonlySet<Fault> = new Set<Fault>(['reset', 'black hole']);

/** Whether it is what its client has asked for; a token of a strange issuer is refused at any time. */
export function isWell({ route, what }: Seen): boolean {
  if (route === 'strange token') return what === '401 invalid_token';
  return what === (route.endsWith('write') ? '201' : '200');
}

export function reportsOf({ cell, before, during }: Measured): RouteReport[] {
  return ROUTES.map((route) => {
    const own = during.filter((each) => each.route === route);
    const answers: Record<string, number> = {};
    for (const { what } of own) answers[what] = (answers[what] ?? 0) + 1;
    const failed = own.filter((each) => !isWell(each)).map(({ ms }) => ms);
    return {
      route,
      dependence: dependenceOf(route, cell),
      answers,
      p50: percentile(own, 0.5),
      p99: percentile(own, 0.99),
      p99Before: percentile(
        before.filter((each) => each.route === route),
        0.99,
      ),
      slowestFailureMs: failed.length === 0 ? null : Math.round(Math.max(...failed)),
    };
  });
}

function percentile(seen: readonly Seen[], share: number): number {
  const sorted = seen.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return Math.round(10 * (sorted[at] ?? 0)) / 10;
}

/** @returns what was promised and is not so */
export function brokenIn({ cell, during }: Measured): string[] {
  return during.flatMap((seen) => {
    const { route, ms, what } = seen;
    const wrong =
      what === 'no answer' || !mayBe(seen, cell)
        ? `was answered "${what}"`
        : ms > TIMES.requestMs + SLACK_MS
          ? `waited ${Math.round(ms)} ms for "${what}"`
          : undefined;
    return wrong === undefined ? [] : [`${route} ${wrong} after ${Math.round(ms)} ms`];
  });
}

function mayBe(seen: Seen, cell: Cell): boolean {
  if (isWell(seen)) return true;
  const { fault } = cell;
  const dependence = dependenceOf(seen.route, cell);
  if (dependence === 'none') return false;
  // The head of the answer has been passed on by then.
  if (fault === 'half a body' && seen.what === 'cut') return true;
  return dependence === 'goes there' && !ONLY_SLOW.has(fault) && REFUSALS.has(seen.what);
}

/** @returns what is too slow, though it may be the machine */
export function slowIn(measured: Measured): string[] {
  const { cell, during } = measured;
  const late = percentile(shedAtOnce(during), 0.5);
  return [
    ...(late > SHED_MS ? [`an open breaker answers in ${late} ms`] : []),
    ...reportsOf(measured).flatMap(({ route, dependence, p99, p99Before }) => {
      if (dependence !== 'none' || route === 'strange token') return [];
      const isSlow = p99 > Math.max(5 * p99Before, p99Before + LATENCY_MS / 2);
      const beside = `p99 ${p99} ms, and ${p99Before} ms without it`;
      return isSlow ? [`${route} is slowed by the ${cell.fault} of ${cell.target}: ${beside}`] : [];
    }),
  ];
}

/** Requests that came when the breaker was open; others were sent before it opened. */
function shedAtOnce(during: readonly Seen[]): Seen[] {
  const shed = during.filter(({ what }) => what === '503 upstream_ill');
  const openAt = Math.min(...shed.map(({ from, ms }) => from + ms));
  return shed.filter(({ from }) => from > openAt);
}

/**
 * @param lasts whether it was seen while the fault lasted, or before
 * @returns why it shows nothing
 */
export function lackingIn(
  cell: Cell,
  seen: readonly Seen[],
  lasts: 'before' | 'during',
): string | undefined {
  for (const route of ROUTES) {
    const { length } = seen.filter((each) => each.route === route);
    // A client who waits for a server that says nothing asks for little else.
    const least = lasts === 'before' || dependenceOf(route, cell) === 'none' ? LEAST : 1;
    if (length < least) return `only ${length} requests of ${route} ${lasts} the fault`;
  }
  if (lasts === 'before' || !FAILS_ALTOGETHER.has(cell.fault)) return undefined;
  const touched = seen.filter((each) => dependenceOf(each.route, cell) === 'goes there');
  return touched.length > 0 && touched.every(isWell) ? 'no client saw the fault' : undefined;
}

/** Undefined where the target does not fail altogether, or clients' requests do not go there. */
export function loadOf({ cell, during, recent, arrived, faultMs }: Measured): Load | undefined {
  const sent = during.filter((each) => dependenceOf(each.route, cell) === 'goes there').length;
  if (sent === 0 || !FAILS_ALTOGETHER.has(cell.fault)) return undefined;
  const seconds = Math.ceil(faultMs / 1_000) + 1;
  const retries = Math.max(Math.ceil(BUDGET * recent), PER_SECOND * seconds);
  return { sent, arrived, allowed: sent + retries };
}
