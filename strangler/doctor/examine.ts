import { errorText } from '../../chassis/index.ts';
import type { Fence } from '../../chassis/index.ts';
import { isSplit, ownersOf, restOf } from '../replication/direction.ts';
import type { AllFences, Fences } from '../replication/direction.ts';
import { ownerOf } from '../ownership/owner.ts';
import { FeedLostError } from '../sides/side-database.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide, SIDES } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import { fencesIn, readFacts, unfinishedHandoverIn } from '../sides/facts.ts';
import type { Facts, SideFacts } from '../sides/facts.ts';
import type { DatabaseFacts, StrayKey } from './facts.ts';
import { readViews, restoredBackups } from './restored-backup.ts';
import type { BySide } from '../../routing/side.ts';
import { openDemandIn } from '../sides/open-demand.ts';

type Opened = Readonly<Record<SideName, SideDatabase | Error>>;

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
  const facts = readFacts(sides);
  const trouble: Partial<Record<SideName, string>> = {};
  const installed = { legacy: false, extracted: false };
  let lease: DatabaseFacts['lease'] = null;
  for (const side of SIDES) {
    try {
      installed[side] = (await facts[side].installation()) !== undefined;
      if (installed[side]) lease ??= await facts[side].lease();
    } catch (error) {
      trouble[side] = errorText(error);
    }
  }
  const known = { ...blank, trouble, installed, lease };
  if (Object.keys(trouble).length > 0 || !installed.legacy || !installed.extracted) return known;
  try {
    return { ...known, ...(await examineBoth(sides as BySide<SideDatabase>, facts)) };
  } catch (error) {
    return { ...known, trouble: { legacy: errorText(error) } };
  }
}

async function examineBoth(
  sides: BySide<SideDatabase>,
  facts: Facts,
): Promise<Partial<DatabaseFacts>> {
  const completion = completionState(await facts.legacy.completion());
  // Triggers and feeds are gone then, as they should be.
  if (completion !== null) return { completion };
  const older = restoredBackups(await readViews(sides));
  const unfinished = (await unfinishedHandoverIn(facts)) ?? null;
  const all = await fencesIn(facts);
  const fences = unfinished ? movingFences(all, unfinished) : restOf(all);
  const owner = ownerOf(restOf(all));
  const { legacy, extracted } = sides;
  return {
    older,
    unfinished,
    fences,
    apart: keysApart(all),
    astray: unfinished ? [] : strayKeys(all),
    targetApplied: unfinished ? await facts[unfinished.to].applied() : 0,
    demand: await openDemandIn(facts),
    drift: { legacy: await facts.legacy.drift(), extracted: await facts.extracted.drift() },
    unfit: { legacy: await unfitness(legacy), extracted: await unfitness(extracted) },
    dangling: [...(await legacy.checks.dangling()), ...(await extracted.checks.dangling())],
    feedLost: owner && (await feedLost(sides[owner], await facts[otherSide(owner)].applied())),
    parked: (await parkedIn(facts.extracted)) ?? (await parkedIn(facts.legacy)),
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

async function feedLost({ feed }: SideDatabase, applied: number): Promise<string | null> {
  try {
    await feed.read(applied, 1);
    return null;
  } catch (error) {
    if (error instanceof FeedLostError) return error.message;
    throw error;
  }
}

async function parkedIn({ parked }: SideFacts): Promise<DatabaseFacts['parked']> {
  const all = await parked();
  const reason = all.find((one) => one.reason !== null)?.reason;
  return all.length === 0 ? null : { changes: all.length, reason: reason ?? 'no reason is known' };
}
