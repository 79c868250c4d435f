import type { Lag } from './lag.ts';

/** How long writers will probably have to wait, and what that is taken from. */
export interface HoldPrediction {
  /** ms. */
  readonly holdMs: number;
  /** For people: the figures behind it. */
  readonly from: string;
}

/** A first handover finds cold connections and cold code; measured. */
const FIRST_MS = 35;
/** Changes applied in a millisecond, at the least, while nothing is allowed to pause; measured. */
const APPLIED_PER_MS = 10;
const LOOKED_AT = 10;

/**
 * Predicts the hold of a handover that would begin now. A first handover alone says little: one that
 * met a slow moment must not keep every further one from being tried.
 * @param holds of the newest handovers that were done, newest first, in ms
 * @param lag what has to be applied while writers wait
 */
export function predictHold(holds: readonly number[], lag: Lag): HoldPrediction {
  const recent = holds.slice(0, LOOKED_AT).sort((left, right) => left - right);
  const usual =
    recent.length > 1
      ? (recent[Math.floor((recent.length - 1) / 2)] ?? FIRST_MS)
      : Math.min(FIRST_MS, ...recent);
  const catchUp = lag.changes / APPLIED_PER_MS;
  return {
    holdMs: Math.ceil(usual + catchUp),
    from: [history(recent, usual), `${lag.changes} changes are still to be applied`].join(', '),
  };
}

function history(recent: readonly number[], usual: number): string {
  const [shortest, longest] = [recent[0], recent.at(-1)];
  if (shortest === undefined || longest === undefined) {
    return `none was done yet, and a first one takes about ${FIRST_MS} ms`;
  }
  if (recent.length === 1) return `the only one so far took ${shortest} ms`;
  return `the last ${recent.length} took ${shortest} to ${longest} ms, half of them up to ${usual} ms`;
}
