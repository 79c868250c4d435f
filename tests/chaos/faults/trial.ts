import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../support/index.ts';
import type { Verdict } from '../../../rehearsal/index.ts';
import { dependenceOf } from './cells.ts';
import type { Cell } from './cells.ts';
import { ROUTES } from './clients.ts';
import type { Clients, Route, Seen } from './clients.ts';
import type { FaultyShop } from './faulty-shop.ts';
import { brokenIn, isWell, lackingIn, loadOf, reportsOf, slowIn } from './judge.ts';
import type { Load, Measured, RouteReport } from './judge.ts';

/** What came of a cell. */
export interface CellReport extends Cell {
  readonly verdict: Verdict;
  readonly broken: readonly string[];
  readonly unproven?: string;
  readonly routes: readonly RouteReport[];
  readonly load?: Load;
  /** How long after the fault's end every route was well again, in ms. */
  readonly recoveredMs: number;
}

interface Lengths {
  readonly beforeMs: number;
  readonly faultMs: number;
}

/** Budgets of retries count the requests of the last ten seconds. */
const BUDGET_MS = 10_000;
const RECOVERY_MS = 10_000;
const LONGEST_MS = 5_000;
/** A route is well again when so many answers in a row are. */
const IN_ROW = 3;
/** A slow machine slows one trial, not all of them. */
const TRIALS = 3;

/** Tries a cell, again where only times were bad. */
export async function tryCell(
  shop: FaultyShop,
  clients: Clients,
  cell: Cell,
  lengths: Lengths,
): Promise<CellReport> {
  for (let trial = 1; ; trial += 1) {
    const { report, slow } = await tryOnce(shop, clients, cell, lengths);
    if (slow.length === 0 || report.broken.length > 0) return report;
    if (trial === TRIALS) return { ...report, verdict: 'broke', broken: slow };
  }
}

async function tryOnce(
  { proxies }: FaultyShop,
  clients: Clients,
  cell: Cell,
  { beforeMs, faultMs }: Lengths,
): Promise<{ report: CellReport; slow: readonly string[] }> {
  const proxy = proxies[cell.target];
  const from = performance.now();
  await delay(beforeMs);
  await untilSeen(() => lackingIn(cell, since(clients, from), 'before'));
  const beganAt = performance.now();
  const requestsBefore = proxy.requests;
  const stale = clients.stale.length;
  proxy.fault = cell.fault;
  await delay(faultMs);
  await untilSeen(() => lackingIn(cell, since(clients, beganAt), 'during'));
  proxy.fault = undefined;
  const endedAt = performance.now();
  const arrived = proxy.requests - requestsBefore;
  const { recoveredMs, lastIll } = await recovery(clients, endedAt);
  const within = (first: number, last: number): Seen[] =>
    clients.seen.filter((each) => each.from >= first && each.from < last);
  const measured: Measured = {
    cell,
    before: within(from, beganAt).filter((each) => each.from + each.ms < beganAt),
    during: within(beganAt, endedAt),
    recent: within(endedAt - BUDGET_MS, endedAt).filter(
      (each) => dependenceOf(each.route, cell) !== 'none',
    ).length,
    arrived,
    faultMs: endedAt - beganAt,
  };
  const load = loadOf(measured);
  const broken = [
    ...brokenIn(measured),
    ...clients.stale.slice(stale),
    ...(load && load.arrived > load.allowed
      ? [`${load.arrived} requests reached ${cell.target} for ${load.sent} of clients`]
      : []),
    ...(recoveredMs > RECOVERY_MS
      ? [
          `${Math.round(recoveredMs)} ms after the fault, ${lastIll?.route} was answered ${lastIll?.what}`,
        ]
      : []),
  ];
  const { before, during } = measured;
  const lacking = lackingIn(cell, before, 'before') ?? lackingIn(cell, during, 'during');
  const unproven = broken.length > 0 ? undefined : lacking;
  return {
    report: {
      ...cell,
      verdict: broken.length > 0 ? 'broke' : unproven === undefined ? 'kept' : 'inconclusive',
      broken: summed(broken),
      ...(unproven === undefined ? {} : { unproven }),
      routes: reportsOf(measured),
      ...(load ? { load } : {}),
      recoveredMs: Math.round(recoveredMs),
    },
    slow: slowIn(measured),
  };
}

/** The same of several requests is told once. */
function summed(broken: readonly string[]): string[] {
  return broken.length > 5
    ? [...broken.slice(0, 5), `and ${broken.length - 5} more of the kind`]
    : [...broken];
}

const since = ({ seen }: Clients, from: number): Seen[] => seen.filter((each) => each.from >= from);

/** On a busy machine it takes longer until enough has been seen; after a while it is judged as it is. */
async function untilSeen(reason: () => string | undefined): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  while (reason() !== undefined && performance.now() < deadline) await delay(20);
}

interface Recovery {
  /** How long it took until no route was ill any more. */
  readonly recoveredMs: number;
  readonly lastIll: Seen | undefined;
}

/** Waits until every request of before is over, and every route is well. */
async function recovery({ seen, underWay }: Clients, endedAt: number): Promise<Recovery> {
  const newest = (route: Route): Seen[] =>
    seen.filter((each) => each.route === route && each.from > endedAt).slice(-IN_ROW);
  await eventually(
    () =>
      [...underWay].every((from) => from > endedAt) &&
      ROUTES.every((route) => newest(route).length === IN_ROW && newest(route).every(isWell)),
    { timeoutMs: 2 * RECOVERY_MS, intervalMs: 10 },
  );
  const lastIll = seen.findLast((each) => each.from > endedAt && !isWell(each));
  return { recoveredMs: lastIll ? lastIll.from + lastIll.ms - endedAt : 0, lastIll };
}
