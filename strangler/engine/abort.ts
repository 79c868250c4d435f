import { Problem } from '../../chassis/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord, SideStore } from '../ledger/store.ts';
import { plural } from '../wording.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import type { HandoverOutcome } from './handovers.ts';
import type { CapabilityController } from './capability-controller.ts';

/** What the journal says of a handover that a person took back. */
const IN_PERSON = 'an operator took it back';

/** A handover that was taken back. */
export interface AbortAnswer {
  readonly outcome: 'aborted';
  readonly id: string;
  readonly capability: string;
  /** The side that owned the capability before, and does so again. */
  readonly owner: SideName;
  readonly epoch: number;
}

/**
 * Takes a handover back because somebody asks in person, in the middle of it or when a crash has
 * left it behind.
 * @param id of the handover that is meant: an order that comes late must not hit another one
 * @throws Problem `nothing_to_abort` or `past_commit_point`, which say what happens now
 */
export async function abort(controller: CapabilityController, id: string): Promise<AbortAnswer> {
  controller.askAbort(id, IN_PERSON);
  // In turn: a handover that runs here has come to its end by then.
  return controller.act((context) =>
    takeBack(context, id, (outcome) => controller.reconciler.resumed(outcome)),
  );
}

/**
 * Takes back an unfinished handover that does not run anywhere, by one compare-and-set in the
 * source alone.
 * @throws Problem, as `abort`
 */
export async function takeBack(
  { opened, handovers }: LeaderContext,
  id: string,
  onEnd: (outcome: HandoverOutcome) => void,
): Promise<AbortAnswer> {
  const unfinished = await handovers.unfinished();
  if (unfinished?.id === id) {
    await refuseAfterCommit(opened.sides[unfinished.from].store, unfinished);
    onEnd(await handovers.resume(unfinished, IN_PERSON));
  }
  const record = await handovers.find(id);
  if (!record) throw nothingToAbort();
  const { capability, from, to, outcome, epoch } = record;
  if (outcome === 'aborted') return { outcome, id, capability, owner: from, epoch: epoch + 1 };
  if (outcome === 'done') throw finished(record);
  throw new Problem(503, 'handover_stuck', `the handover to ${to} can't be ended at the moment`, {
    headers: { 'retry-after': '1' },
    members: { capability, id, next: 'fig doctor' },
  });
}

async function refuseAfterCommit(
  source: SideStore,
  { capability, id, from, to, epoch, keys }: HandoverRecord,
): Promise<void> {
  if ((await source.fences()).giving(keys, epoch).state !== 'ceded') return;
  const what = keys === null ? capability : `${plural(keys.length, 'key')} of ${capability}`;
  const detail =
    `the handover is past its commit point: ${from} has ceded ${what}, and ${to} is opened ` +
    'as soon as it can be reached; then it can be moved back';
  throw new Problem(409, 'past_commit_point', detail, {
    members: { capability, id, next: 'fig status -w' },
  });
}

function finished({ capability, id, to }: HandoverRecord): Problem {
  const verb = otherSide(to) === 'legacy' ? 'reverse' : 'switch';
  const detail = `it was too late: the handover is done, and ${to} owns ${capability}`;
  return new Problem(409, 'past_commit_point', detail, {
    members: { capability, id, next: `fig ${verb} ${capability}` },
  });
}

export function nothingToAbort(): Problem {
  return new Problem(409, 'nothing_to_abort', 'no handover is under way', {
    members: { next: 'fig status' },
  });
}
