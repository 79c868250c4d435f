import { errorText } from '../../chassis/index.ts';
import type { Fence } from '../../chassis/index.ts';
import type { GateFacts } from '../ownership/handover/gates.ts';
import { predictHold } from '../ownership/handover/prediction.ts';
import type { HoldPrediction } from '../ownership/handover/prediction.ts';
import { UNTRIED } from '../ownership/handover/proofs.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { JournalEntry } from '../ledger/store.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { openDemand } from '../sides/open-demand.ts';
import { epochAfter } from './epoch-after.ts';
import { handoversIn } from './handover-view.ts';
import { drainsFirst } from './open-capability.ts';
import type { OpenCapability } from './open-capability.ts';
import { lateSequences, rivalSequences } from './sequences.ts';
import { trespassIn } from './status.ts';

const UNKNOWN: Fence = { state: 'closed', epoch: 0 };
const NO_LAG = { changes: 0, ms: 0 };

/**
 * What the gates of a handover to `to` look at, but for the proofs, which take a moment; a database that can't
 * be read is a fact.
 */
export async function readGateFacts(
  opened: OpenCapability,
  facts: Facts,
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
    drain: null,
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
    return { ...blank, ...(await readBoth(opened, facts, to, keys)) };
  } catch (error) {
    return { ...blank, trouble: errorText(error) };
  }
}

async function readBoth(
  opened: OpenCapability,
  facts: Facts,
  to: SideName,
  keys: Keys,
): Promise<Partial<GateFacts>> {
  const { sides, data, contract } = opened;
  const { mapping } = data;
  const from = otherSide(to);
  const installed = [await facts[from].installation(), await facts[to].installation()];
  const fences = await fencesIn(facts);
  const last = await data.lastReconcile(facts);
  // One through another mapping says nothing of this one.
  const newest = last?.mappingHash === mapping.hash ? last : null;
  const { problem } = await data.status(facts);
  const demands = {
    legacy: await facts.legacy.demand(),
    extracted: await facts.extracted.demand(),
  };
  return {
    broken: problem?.message ?? null,
    parked: await facts[to].parkedCount(),
    source: fences[from].giving(keys, epochAfter(fences, from, keys)),
    target: fences[to].taking(keys),
    mappingCurrent: installed.every((side) => side?.mappingHash === mapping.hash),
    drift: [...(await facts.legacy.drift()), ...(await facts.extracted.drift())],
    backfilled: installed[1]?.complete ?? false,
    lag: (await facts.lagBehind(from)).lag,
    prediction: await predictionIn(facts, to),
    drain: drainsFirst(opened, from) ? opened.facades.trouble(data.capability) : null,
    // Each side may have been restored alone, so either may demand it.
    demand: openDemand(demands, [newest]),
    reconcile: newest && { at: newest.finishedAt, clean: newest.clean },
    contract: await contract.look(),
    lateSequences: await (keys === null ? lateSequences : rivalSequences)(
      mapping,
      sides[from],
      sides[to],
    ),
    trespass: await trespassIn(facts[from]),
  };
}

/** For how long writers would have to wait for a handover to `to`. */
export async function predictionIn(facts: Facts, to: SideName): Promise<HoldPrediction> {
  const { lag } = await facts.lagBehind(otherSide(to));
  return predictHold(await recentHolds(facts), lag);
}

function isResumption({ step }: JournalEntry): boolean {
  return step === 'resume';
}

/**
 * How long the newest handovers held writes, newest first, in ms. One that a crash interrupted says
 * nothing of the next one; it would keep every further one from being tried.
 */
async function recentHolds({ legacy, extracted }: Facts): Promise<readonly number[]> {
  const recent = [...(await handoversIn(legacy)), ...(await handoversIn(extracted))];
  return recent
    .filter(({ outcome, steps }) => outcome === 'done' && !steps.some(isResumption))
    .sort((left, right) => right.startedAt - left.startedAt)
    .flatMap(({ holdMs }) => (holdMs === null ? [] : [holdMs]));
}
