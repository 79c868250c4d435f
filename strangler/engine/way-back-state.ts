import type { CapabilityStatus } from './status.ts';

/** Whether ownership could be given back to legacy at the moment. */
export type WayBack =
  | { readonly safe: true }
  | {
      readonly safe: false;
      readonly reason: string;
      readonly next: string;
      /** Whether it may end by itself, as changes are applied. */
      readonly passing?: true;
    };

/** What legacy may be behind the owner, in ms, before a way back is none. */
const LONG_BEHIND_MS = 10_000;

type Facts = Pick<
  CapabilityStatus,
  'capability' | 'stage' | 'owner' | 'trouble' | 'parked' | 'backfill' | 'drift' | 'lag' | 'cohorts'
> & { readonly broken?: string | null };

/**
 * Judges whether what extracted writes finds its way back to legacy; null while legacy owns all of it,
 * and once the way back was closed on purpose.
 */
export function wayBackOf(facts: Facts): WayBack | null {
  const { capability, stage, owner, trouble, parked, backfill, drift, lag, broken } = facts;
  const ahead = facts.cohorts?.extracted.length ?? 0;
  if ((owner !== 'extracted' && ahead === 0) || stage === 'complete' || stage === 'completing')
    return null;
  const unsafe = (reason: string, next: string): WayBack => ({ safe: false, reason, next });
  if (trouble.length > 0) return unsafe(trouble.join('; '), 'fig status');
  if (drift.length > 0) return unsafe(drift.join('; '), `fig check ${capability} --accept`);
  if (broken) return unsafe(`changes can't be applied: ${broken}`, 'fig status');
  if (parked !== null) {
    const who = owner === 'extracted' ? 'legacy' : 'one of the sides';
    return unsafe(
      `${who} could not take ${parked.changes} changes: ${parked.reason}`,
      `fig parked list ${capability}`,
    );
  }
  // These are about the rest.
  if (owner !== 'extracted') return { safe: true };
  if (backfill.state !== 'done') {
    return unsafe('legacy has no complete copy of the data', `fig backfill ${capability}`);
  }
  if (lag !== null && lag.ms > LONG_BEHIND_MS) {
    const behind = `legacy is ${lag.changes} changes (${Math.round(lag.ms / 1_000)} s) behind`;
    return { safe: false, reason: behind, next: 'fig status -w', passing: true };
  }
  return { safe: true };
}
