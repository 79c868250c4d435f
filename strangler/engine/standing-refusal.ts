import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import type { Facts } from '../sides/facts.ts';
import { handoversIn } from './handover-view.ts';
import type { Leases } from './leases.ts';
import type { OpenCapability } from './open-capability.ts';

/** Journalled where a person moved ownership whatever the flag asks for. */
export const OVERRULED = 'overruled';
/** Journalled by a person's decision about which side is right. */
const TRUSTED = 'trust';
/** Journalled when the wish of a handover that was taken back is given up, so that it may come again. */
const TURNED = 'turned';

/** A request of the flag that is not carried out until the flag is turned. */
export interface StandingRefusal {
  readonly record: HandoverRecord;
  /** What the flag must not get. */
  readonly to: SideName;
  readonly reason: string;
}

/**
 * What the flag must not get by the newest handover, until it is turned: what was taken back, or the way back
 * from what a person has decided.
 */
export async function standingRefusal({
  legacy,
  extracted,
}: Facts): Promise<StandingRefusal | undefined> {
  const [newest] = [...(await handoversIn(legacy)), ...(await handoversIn(extracted))].sort(
    (left, right) => right.startedAt - left.startedAt,
  );
  if (!newest || newest.outcome === null || newest.keys !== null) return undefined;
  const { steps, ...record } = newest;
  if (steps.some(({ step }) => step === TURNED)) return undefined;
  if (newest.outcome === 'aborted') {
    return { record, to: newest.to, reason: newest.reason ?? 'the handover was taken back' };
  }
  if (!steps.some(({ step }) => step === OVERRULED || step === TRUSTED)) return undefined;
  const at = new Date(newest.finishedAt ?? newest.startedAt).toISOString();
  return { record, to: newest.from, reason: `a person moved it to ${newest.to} at ${at}` };
}

/** Writes down that nobody asks any more for what was taken back: asked again, it counts. */
export async function markTurned(
  { opened, leases }: { readonly opened: OpenCapability; readonly leases: Leases },
  { id, from }: HandoverRecord,
): Promise<void> {
  const lease = leases.held?.[from];
  const { store } = opened.sides[from];
  const detail = 'the flag was turned';
  if (lease) await store.step({ handover: id, step: TURNED, detail }, lease);
}
