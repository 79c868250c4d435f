import { errorText } from '../../chassis/index.ts';
import type { Fence } from '../../chassis/index.ts';
import { openDemand } from '../doctor/open-demand.ts';
import type { Comparison } from '../doctor/open-demand.ts';
import type { GateFacts } from '../ownership/handover/gates.ts';
import { predictHold } from '../ownership/handover/prediction.ts';
import { UNTRIED } from '../ownership/handover/proofs.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { JournalEntry } from '../ledger/store.ts';
import { epochAfter } from './epoch-after.ts';
import { allFencesOf } from './open-capability.ts';
import type { OpenCapability } from './open-capability.ts';
import { lateSequences, rivalSequences } from './sequences.ts';
import { handoversOf, lagOf, trespassOf } from './status.ts';

const UNKNOWN: Fence = { state: 'closed', epoch: 0 };
const NO_LAG = { changes: 0, ms: 0 };
/** Handovers of each side that a prediction looks at. */
const RECENT = 10;

/**
 * Reads what the gates of a handover to `to` look at, but for the proofs, which take a moment; a
 * database that can't be read is a fact.
 */
export async function readGateFacts(
  opened: OpenCapability,
  to: SideName,
  keys: Keys = null,
): Promise<GateFacts> {
  const { data } = opened;
  const blank: GateFacts = {
    capability: data.capability,
    to,
    trouble: null,
    source: UNKNOWN,
    target: UNKNOWN,
    mappingCurrent: false,
    drift: [],
    backfilled: false,
    broken: null,
    parked: 0,
    lag: NO_LAG,
    prediction: predictHold([], NO_LAG),
    demand: null,
    reconcile: null,
    contract: null,
    lateSequences: [],
    invariants: UNTRIED,
    wayBack: UNTRIED,
    trespass: null,
    now: Date.now(),
  };
  try {
    return { ...blank, ...(await readFacts(opened, to, keys)) };
  } catch (error) {
    return { ...blank, trouble: errorText(error) };
  }
}

async function readFacts(
  opened: OpenCapability,
  to: SideName,
  keys: Keys,
): Promise<Partial<GateFacts>> {
  const { sides, data, contract } = opened;
  const { mapping } = data;
  const [source, target] = [sides[otherSide(to)], sides[to]];
  const installed = [await source.installation(), await target.installation()];
  const fences = await allFencesOf(opened);
  const last = await data.lastReconcile();
  // One through another mapping says nothing of this one.
  const newest = last?.mappingHash === mapping.hash ? last : null;
  const { problem } = await data.status();
  const lag = (await lagOf(sides, otherSide(to))).lag ?? NO_LAG;
  return {
    broken: problem?.message ?? null,
    parked: await target.parked.count(),
    source: fences[source.side].giving(keys, epochAfter(fences, source.side, keys)),
    target: fences[to].taking(keys),
    mappingCurrent: installed.every((side) => side?.mappingHash === mapping.hash),
    drift: [...(await sides.legacy.checks.drift()), ...(await sides.extracted.checks.drift())],
    backfilled: installed[1]?.complete ?? false,
    lag,
    prediction: predictHold(await recentHolds(opened), lag),
    demand: await openDemandOf(opened, newest),
    reconcile: newest && { at: newest.finishedAt, clean: newest.clean },
    contract: await contract.look(),
    lateSequences: await (keys === null ? lateSequences : rivalSequences)(mapping, source, target),
    trespass: await trespassOf(source),
  };
}

function isResumption({ step }: JournalEntry): boolean {
  return step === 'resume';
}

/**
 * How long the newest handovers held writes, newest first, in ms. One that a crash interrupted says
 * nothing of the next one; it would keep every further one from being tried.
 */
export async function recentHolds({ sides }: OpenCapability): Promise<readonly number[]> {
  const recent = await Promise.all(
    [sides.legacy, sides.extracted].map((side) => handoversOf(side, RECENT)),
  );
  return recent
    .flat()
    .filter(({ outcome, steps }) => outcome === 'done' && !steps.some(isResumption))
    .sort((left, right) => right.startedAt - left.startedAt)
    .flatMap(({ holdMs }) => (holdMs === null ? [] : [holdMs]));
}

/** Each side may have been restored alone, so either may demand it. */
async function openDemandOf(
  { sides }: OpenCapability,
  newest: Comparison | null,
): Promise<GateFacts['demand']> {
  const legacy = await sides.legacy.checks.demand();
  const extracted = await sides.extracted.checks.demand();
  return openDemand({ legacy, extracted }, [newest]);
}
