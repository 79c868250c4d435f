import type { Facts, Unfinished } from './facts.ts';

/** The next step of a handover. */
export type Action =
  | { readonly kind: 'hold' }
  | { readonly kind: 'close' }
  | { readonly kind: 'recordPosition' }
  | { readonly kind: 'awaitApplied'; readonly position: number }
  | { readonly kind: 'cede' }
  | { readonly kind: 'abort'; readonly from: 'open' | 'closed'; readonly reason: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'publish' }
  | { readonly kind: 'finish'; readonly outcome: 'done' | 'aborted' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'alarm'; readonly reason: string };

const alarm = (reason: string): Action => ({ kind: 'alarm', reason });

/**
 * Decides the next step of a handover, in either direction, from facts alone. Running it again
 * after a crash at any step goes on or takes back; there is no other state.
 *
 *   source open(E-1) -> closed(E) -> [position known, applied, and on disk] -> ceded(E), the commit point
 *   target below E -> open(E)
 *   taken back: source open(E+1), which no late step of this handover can compare equal to
 */
export function decide(facts: Facts): Action {
  const { source, target, handover } = facts;
  if (source.state === 'open' && target.state === 'open') {
    return alarm('both sides are open: a backup was restored; close the one that is behind');
  }
  if (handover === null) {
    return source.state === 'open' || target.state === 'open'
      ? { kind: 'nothing' }
      : alarm('neither side is open, and no handover is under way');
  }
  if (source.state !== 'ceded' && target.epoch >= handover.epoch) {
    return alarm(
      `the target was opened at epoch ${handover.epoch} already: the source was restored from a backup`,
    );
  }
  if (source.state === 'open') return whileOpen(facts, handover);
  if (source.state === 'closed') return whileClosed(facts, handover);
  return afterCede(facts, handover);
}

function whileOpen({ source, abort, held, published }: Facts, { epoch }: Unfinished): Action {
  if (source.epoch === epoch - 1) {
    if (abort !== null) return { kind: 'abort', from: 'open', reason: abort };
    return held ? { kind: 'close' } : { kind: 'hold' };
  }
  if (source.epoch === epoch + 1) {
    return published ? { kind: 'finish', outcome: 'aborted' } : { kind: 'publish' };
  }
  return alarm(
    `the source is open at epoch ${source.epoch}, which a handover to ${epoch} never is`,
  );
}

function whileClosed(facts: Facts, { epoch, position }: Unfinished): Action {
  const { source, applied, settled, abort } = facts;
  if (source.epoch !== epoch) {
    return alarm(`the source is closed at epoch ${source.epoch}, not at the handover's ${epoch}`);
  }
  if (abort !== null) return { kind: 'abort', from: 'closed', reason: abort };
  // Only now: a write that commits between reading the position and the close would be lost.
  if (position === null) return { kind: 'recordPosition' };
  return applied >= position && settled ? { kind: 'cede' } : { kind: 'awaitApplied', position };
}

function afterCede({ source, target, published }: Facts, { epoch }: Unfinished): Action {
  if (source.epoch !== epoch) {
    return alarm(`the source is ceded at epoch ${source.epoch}, not at the handover's ${epoch}`);
  }
  if (target.epoch < epoch) return { kind: 'open' };
  if (target.epoch > epoch) return { kind: 'finish', outcome: 'done' };
  if (target.state === 'open') {
    return published ? { kind: 'finish', outcome: 'done' } : { kind: 'publish' };
  }
  return alarm(`the target is ${target.state} at epoch ${epoch}, where only a handover opens it`);
}
