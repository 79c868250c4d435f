import type { CompletionRecord } from '../ownership/completion/record.ts';
import type { FenceRows } from '../ownership/fence-rows.ts';
import type { Demand } from '../ownership/handover/gates.ts';
import type { Lag } from '../ownership/handover/lag.ts';
import type { ShadowReport } from '../ownership/shadow-fence.ts';
import { otherSide } from '../../routing/side.ts';
import type { BySide, SideName } from '../../routing/side.ts';
import type { HandoverRecord, JournalEntry, LeaseView } from '../ledger/store.ts';
import type { BackfillState, Installation, ParkedChange, SideDatabase } from './side-database.ts';

/** How far back status, predictions and notices look at the handovers away from a side. */
const RECENT = 20;

/** Reads a fact when it is first asked for, and gives the same answer, or error, from then on. */
type Fact<T> = () => Promise<T>;

/** What one side's database says of a capability. */
export interface SideFacts {
  readonly installation: Fact<Installation | undefined>;
  readonly lease: Fact<LeaseView | null>;
  readonly fences: Fact<FenceRows>;
  readonly unfinishedHandover: Fact<HandoverRecord | undefined>;
  /** The newest handovers away from the side, newest first. */
  readonly handovers: Fact<readonly HandoverRecord[]>;
  /** All steps of these handovers, in the order in which they were journalled. */
  readonly journal: Fact<readonly JournalEntry[]>;
  /** The newest completion, if any; legacy's database keeps it. */
  readonly completion: Fact<CompletionRecord | undefined>;
  readonly backfills: Fact<readonly BackfillState[]>;
  /** The newest report of a comparison, as it was saved. */
  readonly report: Fact<unknown>;
  readonly demand: Fact<Demand | null>;
  /** How the schema differs from what was installed on. */
  readonly drift: Fact<readonly string[]>;
  /** Writes that bypassed the side's application. */
  readonly bypassing: Fact<ShadowReport | null>;
  readonly parked: Fact<readonly ParkedChange[]>;
  readonly parkedCount: Fact<number>;
  /** How far the other side's feed is applied here. */
  readonly applied: Fact<number>;
}

/** How far the side that follows is behind the owner. */
export interface LagFacts {
  readonly lag: Lag;
  /** Last position of the owner's feed. */
  readonly position: number;
  /** How far the other side has applied it. */
  readonly applied: number;
}

/** What both databases say of a capability in one look. */
export interface Facts extends BySide<SideFacts> {
  /** @returns how far the other side is behind this owner */
  lagBehind(owner: SideName): Promise<LagFacts>;
}

/**
 * One look at both databases of a capability. Status, gates, doctor, completion and the engine's tick all take
 * from such a look what they need: each fact is read once, when the first of them asks for it, so that what
 * they say of one moment agrees. Facts go stale: whoever has changed something takes another look.
 * @param sides both databases; of one that can't be opened, the error, with which each of its facts is rejected
 */
export function readFacts(sides: BySide<SideDatabase | Error>): Facts {
  const facts = { legacy: readSide(sides.legacy), extracted: readSide(sides.extracted) };
  const lags = {
    legacy: once(() => readLag('legacy', sides, facts)),
    extracted: once(() => readLag('extracted', sides, facts)),
  };
  return { ...facts, lagBehind: (owner) => lags[owner]() };
}

/** All fences of both sides. */
export async function fencesIn({ legacy, extracted }: Facts): Promise<BySide<FenceRows>> {
  return { legacy: await legacy.fences(), extracted: await extracted.fences() };
}

/** The handover without an outcome, in whichever database it began. */
export async function unfinishedHandoverIn({
  legacy,
  extracted,
}: Facts): Promise<HandoverRecord | undefined> {
  return (await legacy.unfinishedHandover()) ?? extracted.unfinishedHandover();
}

function readSide(side: SideDatabase | Error): SideFacts {
  const fact = <T>(read: (database: SideDatabase) => Promise<T>): Fact<T> =>
    once(async () => read(opened(side)));
  const handovers = fact(({ store }) => store.recentHandovers(RECENT));
  return {
    installation: fact((database) => database.installation()),
    lease: fact(({ store }) => store.lease()),
    fences: fact(({ store }) => store.fences()),
    unfinishedHandover: fact(({ store }) => store.unfinishedHandover()),
    handovers,
    journal: fact(async ({ store }) => store.journals((await handovers()).map(({ id }) => id))),
    completion: fact(({ retirement }) => retirement.completion()),
    backfills: fact((database) => database.backfills()),
    report: fact((database) => database.lastReport()),
    demand: fact(({ checks }) => checks.demand()),
    drift: fact(({ checks }) => checks.drift()),
    bypassing: fact(({ shadowFence }) => shadowFence.report()),
    parked: fact(({ parked }) => parked.list()),
    parkedCount: fact(({ parked }) => parked.count()),
    applied: fact(({ store }) => store.appliedPosition()),
  };
}

/** The applied position first: the owner's feed only grows, so the other side never seems to be ahead of it. */
async function readLag(
  owner: SideName,
  sides: BySide<SideDatabase | Error>,
  facts: BySide<SideFacts>,
): Promise<LagFacts> {
  const { feed } = opened(sides[owner]);
  const applied = await facts[otherSide(owner)].applied();
  const position = await feed.last();
  const { changes, since } = await feed.pending(applied);
  const ms = since === null ? 0 : Math.max(0, Date.now() - since);
  return { lag: { changes, ms }, position, applied };
}

function opened(side: SideDatabase | Error): SideDatabase {
  if (side instanceof Error) throw side;
  return side;
}

function once<T>(read: Fact<T>): Fact<T> {
  let reading: Promise<T> | undefined;
  return () => (reading ??= read());
}
