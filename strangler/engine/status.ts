import { errorText } from '../../chassis/index.ts';
import type { Fence } from '../../chassis/index.ts';
import { sharesOf } from '../../routing/index.ts';
import type { FlagReadings, Shares } from '../../routing/index.ts';
import type { CompletionRecord } from '../ownership/completion/index.ts';
import { isSplit, ownersOf } from '../replication/direction.ts';
import type { FenceRows } from '../ownership/fence-rows.ts';
import type { Demand, Trespass } from '../ownership/handover/gates.ts';
import type { Lag } from '../ownership/handover/lag.ts';
import { aggregatesOf } from '../replication/parked/index.ts';
import type { ParkedAggregate } from '../replication/parked/index.ts';
import type { BackfillState, SideDatabase } from '../sides/side-database.ts';
import type { BySide, SideName } from '../../routing/side.ts';
import { readFacts } from '../sides/facts.ts';
import type { Facts, SideFacts } from '../sides/facts.ts';
import { openDemand } from '../sides/open-demand.ts';
import type { Comparison } from '../sides/open-demand.ts';
import { handoversIn } from './handover-view.ts';
import type { HandoverView } from './handover-view.ts';
import { ownerOf } from '../ownership/owner.ts';
import { stageOf } from './stage.ts';
import type { Stage } from './stage.ts';

export interface BackfillView {
  readonly state: 'none' | 'running' | 'done';
  readonly rows: number;
  readonly total: number;
  readonly startedAt: number | null;
  readonly at: number | null;
}

export interface ReconcileView {
  readonly clean: boolean;
  readonly startedAt: number;
  /** ms since 1970. */
  readonly at: number;
  readonly ageMs: number;
}

export interface ParkedView {
  readonly changes: number;
  readonly aggregates: number;
  /** Why the first of them can't be applied. */
  readonly reason: string;
  /** ms since 1970. */
  readonly since: number;
}

/** Everything above is about the rest, where single keys have owners of their own. */
export interface CohortsView extends Readonly<Record<SideName, readonly string[]>> {
  /** Between two owners. */
  readonly nobody: readonly string[];
}

/** Everything that the databases and the flags tell about a capability, without any engine. */
export interface CapabilityStatus {
  readonly capability: string;
  readonly stage: Stage;
  readonly owner: SideName | null;
  readonly epoch: number;
  readonly fences: Readonly<Record<SideName, Fence | null>>;
  /** Null while the flags have never been read. */
  readonly shares: Shares | null;
  readonly lag: Lag | null;
  /** Position of the owner's feed, and how far the other side has applied it. */
  readonly position: number | null;
  readonly applied: number | null;
  readonly backfill: BackfillView;
  readonly reconcile: ReconcileView | null;
  /** What could not be applied; null when nothing is parked. */
  readonly parked: ParkedView | null;
  /** Why both sides have to be compared as a whole before anything is handed over. */
  readonly demand: Demand | null;
  readonly moving: HandoverView | null;
  readonly lastHandover: HandoverView | null;
  /** The last step, once it was begun. */
  readonly completion: CompletionRecord | null;
  /** How the schemas differ from what they were installed on. */
  readonly drift: readonly string[];
  /** Writes that bypassed the legacy application while they were watched. */
  readonly trespass: Trespass | null;
  /** Keys that have fences of their own, by their owner; null where none has. */
  readonly cohorts: CohortsView | null;
  /** Why a side can't be read; empty when both can. */
  readonly trouble: readonly string[];
}

/** A capability's databases, or why one can't be opened. */
export type Sides = BySide<SideDatabase | Error>;

const NOTHING_COPIED: BackfillView = {
  state: 'none',
  rows: 0,
  total: 0,
  startedAt: null,
  at: null,
};

/** Reads a capability's status from its databases alone; never throws: what can't be read is named in `trouble`. */
export function readStatus(
  capability: string,
  sides: Sides,
  flags: FlagReadings,
): Promise<CapabilityStatus> {
  return statusIn(readFacts(sides), capability, flags);
}

/** The same, from facts that others look at as well. */
export async function statusIn(
  facts: Facts,
  capability: string,
  flags: FlagReadings,
): Promise<CapabilityStatus> {
  const [legacy, extracted] = await Promise.all([
    readSide(facts.legacy),
    readSide(facts.extracted),
  ]);
  const fences = { legacy: legacy.fence, extracted: extracted.fence };
  const owner = ownerOf(fences);
  const recent = [...legacy.handovers, ...extracted.handovers].sort(
    (left, right) => right.startedAt - left.startedAt || right.epoch - left.epoch,
  );
  const moving = recent.find(({ outcome }) => outcome === null) ?? null;
  const shares = sharesOf(capability, flags);
  const backfill = (owner === 'extracted' ? legacy : extracted).backfill;
  const reports = [legacy.reconcile, extracted.reconcile].filter((report) => report !== null);
  return {
    capability,
    stage: stageOf({
      fences,
      moving: moving !== null,
      completion: stateOf(legacy.completion),
      backfill: backfill.state,
      shares,
    }),
    owner,
    epoch: Math.max(legacy.fence?.epoch ?? 0, extracted.fence?.epoch ?? 0),
    fences,
    shares,
    // Once the way back is closed nobody follows any more.
    ...(await lagIn(facts, isSealed(legacy.completion) ? null : owner)),
    backfill,
    reconcile: reports.sort((left, right) => right.at - left.at)[0] ?? null,
    parked: legacy.parked ?? extracted.parked,
    demand: openDemand({ legacy: legacy.demand, extracted: extracted.demand }, [
      legacy.compared,
      extracted.compared,
    ]),
    moving,
    lastHandover: recent.find(({ outcome }) => outcome !== null) ?? null,
    completion: legacy.completion,
    // A completed capability has no triggers left to lose.
    drift: stateOf(legacy.completion) === null ? [...legacy.drift, ...extracted.drift] : [],
    trespass: legacy.trespass,
    cohorts: cohortsView(legacy.rows, extracted.rows),
    trouble: [
      ...legacy.trouble.map((text) => `legacy: ${text}`),
      ...extracted.trouble.map((text) => `extracted: ${text}`),
    ],
  };
}

interface SideReading {
  readonly fence: Fence | null;
  readonly rows: FenceRows | null;
  readonly handovers: readonly HandoverView[];
  readonly backfill: BackfillView;
  readonly reconcile: ReconcileView | null;
  /** The same, as it was saved. */
  readonly compared: Comparison | null;
  readonly parked: ParkedView | null;
  readonly completion: CompletionRecord | null;
  readonly drift: readonly string[];
  readonly trespass: Trespass | null;
  readonly demand: Demand | null;
  readonly trouble: readonly string[];
}

const UNREADABLE: SideReading = {
  fence: null,
  rows: null,
  handovers: [],
  backfill: NOTHING_COPIED,
  reconcile: null,
  compared: null,
  parked: null,
  completion: null,
  drift: [],
  trespass: null,
  demand: null,
  trouble: [],
};

async function readSide(side: SideFacts): Promise<SideReading> {
  try {
    const installation = await side.installation();
    if (!installation) return { ...UNREADABLE, trouble: ['nothing is installed there yet'] };
    const report = (await side.report()) as Report | undefined;
    const rows = await side.fences();
    return {
      fence: rows.rest,
      rows,
      handovers: await handoversIn(side),
      backfill: backfillOf(await side.backfills(), installation.complete),
      reconcile: report ? reconcileView(report) : null,
      compared: report ?? null,
      parked: parkedView(aggregatesOf(await side.parked())),
      completion: (await side.completion()) ?? null,
      drift: await side.drift(),
      trespass: await trespassIn(side),
      demand: await side.demand(),
      trouble: [],
    };
  } catch (error) {
    return { ...UNREADABLE, trouble: [errorText(error)] };
  }
}

function cohortsView(legacy: FenceRows | null, extracted: FenceRows | null): CohortsView | null {
  if (!legacy || !extracted || !isSplit({ legacy, extracted })) return null;
  const owners = [...ownersOf({ legacy, extracted })];
  const of = (side: SideName | null): readonly string[] =>
    owners.filter(([, owner]) => owner === side).map(([key]) => key);
  return { legacy: of('legacy'), extracted: of('extracted'), nobody: of(null) };
}

/** One that was taken back has changed nothing. */
function stateOf(completion: CompletionRecord | null): 'begun' | 'done' | null {
  if (completion === null || completion.outcome === 'aborted') return null;
  return completion.outcome ?? 'begun';
}

function isSealed(completion: CompletionRecord | null): boolean {
  return stateOf(completion) !== null && completion?.sealedAt !== null;
}

/** Writes that bypassed the application of a side while they were watched; null when they were not. */
export async function trespassIn({ bypassing }: SideFacts): Promise<Trespass | null> {
  const report = await bypassing();
  if (report === null) return null;
  const newest = report.writes.map((one) => one.newest);
  return {
    writes: report.writes.reduce((sum, one) => sum + one.writes, 0),
    since: report.since,
    newest: newest.length === 0 ? null : Math.max(...newest),
  };
}

function backfillOf(pairs: readonly BackfillState[], complete: boolean): BackfillView {
  const sum = (of: (pair: BackfillState) => number): number =>
    pairs.reduce((total, pair) => total + of(pair), 0);
  if (pairs.length === 0) return { ...NOTHING_COPIED, state: complete ? 'done' : 'none' };
  return {
    state: complete ? 'done' : 'running',
    rows: sum(({ rows }) => rows),
    total: sum(({ total }) => total),
    startedAt: Math.min(...pairs.map(({ startedAt }) => startedAt)),
    at: Math.max(...pairs.map(({ at }) => at)),
  };
}

function parkedView(aggregates: readonly ParkedAggregate[]): ParkedView | null {
  const [first] = aggregates;
  if (first === undefined) return null;
  const { reason, since } = first;
  const changes = aggregates.reduce((sum, one) => sum + one.changes.length, 0);
  return { changes, aggregates: aggregates.length, reason, since };
}

interface Report extends Comparison {
  readonly finishedAt: number;
}

function reconcileView({ clean, startedAt, finishedAt }: Report): ReconcileView {
  return { clean, startedAt, at: finishedAt, ageMs: Date.now() - finishedAt };
}

type LagReading = Pick<CapabilityStatus, 'lag' | 'position' | 'applied'>;

/** How far the side that is not the owner is behind; nulls where that can't be read, or nobody owns it. */
async function lagIn(facts: Facts, owner: SideName | null): Promise<LagReading> {
  const nothing = { lag: null, position: null, applied: null };
  if (owner === null) return nothing;
  return facts.lagBehind(owner).catch(() => nothing);
}
