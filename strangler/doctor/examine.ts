import { errorText } from '../../chassis/index.ts';
import type { Fence } from '../../chassis/index.ts';
import { isSplit, ownersOf, restOf } from '../replication/direction.ts';
import type { AllFences, Fences } from '../replication/direction.ts';
import { ownerOf } from '../engine/stage.ts';
import { FeedLostError } from '../sides/side-database.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import type { DatabaseFacts, OpenDemand, StrayKey } from './facts.ts';
import { findRestoredBackups } from './restored-backup.ts';
import type { BySide } from '../../routing/side.ts';
import { openDemand } from './open-demand.ts';

type Opened = Readonly<Record<SideName, SideDatabase | Error>>;

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/** Reads the state of a capability from its databases alone; changes nothing, never throws. */
export async function examine(capability: string, sides: Opened): Promise<DatabaseFacts> {
  const blank: DatabaseFacts = {
    capability,
    trouble: {},
    installed: { legacy: false, extracted: false },
    fences: null,
    apart: null,
    astray: [],
    unfinished: null,
    targetApplied: 0,
    older: [],
    parting: null,
    completion: null,
    demand: null,
    drift: { legacy: [], extracted: [] },
    unfit: { legacy: [], extracted: [] },
    dangling: [],
    feedLost: null,
    parked: null,
    lease: null,
    now: Date.now(),
  };
  const trouble: Partial<Record<SideName, string>> = {};
  const installed = { legacy: false, extracted: false };
  let lease: DatabaseFacts['lease'] = null;
  for (const side of SIDES) {
    try {
      const database = sides[side];
      if (database instanceof Error) throw database;
      installed[side] = (await database.installation()) !== undefined;
      if (installed[side]) lease ??= await database.store.lease();
    } catch (error) {
      trouble[side] = errorText(error);
    }
  }
  const known = { ...blank, trouble, installed, lease };
  if (Object.keys(trouble).length > 0 || !installed.legacy || !installed.extracted) return known;
  try {
    return { ...known, ...(await examineBoth(sides as BySide<SideDatabase>)) };
  } catch (error) {
    return { ...known, trouble: { legacy: errorText(error) } };
  }
}

async function examineBoth(sides: BySide<SideDatabase>): Promise<Partial<DatabaseFacts>> {
  const { legacy, extracted } = sides;
  const completion = completionState(await legacy.retirement.completion());
  // Triggers and feeds are gone then, as they should be.
  if (completion !== null) return { completion };
  const older = await findRestoredBackups(sides);
  const unfinished =
    (await legacy.store.unfinishedHandover()) ??
    (await extracted.store.unfinishedHandover()) ??
    null;
  const all = { legacy: await legacy.store.fences(), extracted: await extracted.store.fences() };
  const fences = unfinished ? movingFences(all, unfinished) : restOf(all);
  const owner = ownerOf(restOf(all));
  return {
    older,
    unfinished,
    fences,
    apart: keysApart(all),
    astray: unfinished ? [] : strayKeys(all),
    targetApplied: await appliedAt(sides, unfinished),
    demand: await demandOn(sides),
    drift: { legacy: await legacy.checks.drift(), extracted: await extracted.checks.drift() },
    unfit: { legacy: await unfitness(legacy), extracted: await unfitness(extracted) },
    dangling: [...(await legacy.checks.dangling()), ...(await extracted.checks.dangling())],
    feedLost: owner === null ? null : await feedLost(sides[owner], sides[otherSide(owner)]),
    parked: (await parkedOn(extracted)) ?? (await parkedOn(legacy)),
  };
}

async function unfitness(side: SideDatabase): Promise<readonly string[]> {
  return (await side.problems()).map(({ message }) => message);
}

/** What the fences that a handover moves say together. */
function movingFences(all: AllFences, { from, to, keys, epoch }: HandoverRecord): Fences {
  const given = { [from]: all[from].giving(keys, epoch), [to]: all[to].taking(keys) };
  return given as Record<SideName, Fence>;
}

function keysApart(all: AllFences): DatabaseFacts['apart'] {
  if (!isSplit(all)) return null;
  const owners = [...ownersOf(all).values()];
  const of = (side: SideName): number => owners.filter((owner) => owner === side).length;
  return { legacy: of('legacy'), extracted: of('extracted') };
}

function strayKeys(all: AllFences): readonly StrayKey[] {
  return [...ownersOf(all)]
    .filter(([, owner]) => owner === null)
    .map(([key]) => ({ key, legacy: all.legacy.of(key), extracted: all.extracted.of(key) }));
}

function completionState(
  record: { readonly outcome: 'done' | 'aborted' | null } | undefined | null,
): DatabaseFacts['completion'] {
  return !record || record.outcome === 'aborted' ? null : (record.outcome ?? 'begun');
}

async function appliedAt(
  sides: BySide<SideDatabase>,
  unfinished: HandoverRecord | null,
): Promise<number> {
  return unfinished ? sides[unfinished.to].store.appliedPosition() : 0;
}

async function demandOn({ legacy, extracted }: BySide<SideDatabase>): Promise<OpenDemand | null> {
  const demands = {
    legacy: await legacy.checks.demand(),
    extracted: await extracted.checks.demand(),
  };
  const reports = [await legacy.lastReport(), await extracted.lastReport()];
  return openDemand(demands, reports as Parameters<typeof openDemand>[1]);
}

async function feedLost(source: SideDatabase, target: SideDatabase): Promise<string | null> {
  try {
    await source.feed.read(await target.store.appliedPosition(), 1);
    return null;
  } catch (error) {
    if (error instanceof FeedLostError) return error.message;
    throw error;
  }
}

async function parkedOn({ parked }: SideDatabase): Promise<DatabaseFacts['parked']> {
  const all = await parked.list();
  const reason = all.find((one) => one.reason !== null)?.reason;
  return all.length === 0 ? null : { changes: all.length, reason: reason ?? 'no reason is known' };
}
