import { Problem } from '../../chassis/index.ts';
import { ForeignStrategies } from '../../routing/index.ts';
import type { FlagRule, Flags, FlagStore } from '../../routing/index.ts';
import { changeFlag } from './flag-change.ts';
import type { FlagChange, FlagChangeOptions } from './flag-change.ts';
import type { LiveStatus } from './live-status.ts';
import type { CapabilityStatus } from './status.ts';
import { wayBackOf } from './way-back-state.ts';

/** A share of reads: to be compared, or to be served by the extracted side. */
export interface ShareOrder {
  readonly capability: string;
  readonly kind: 'shadow' | 'reads';
  /** In percent. */
  readonly share: number;
}

/** Why a share is not set, and what helps. */
export interface ShareRefusal {
  readonly code: 'gate_refused' | 'rollback_unsafe';
  readonly reason: string;
  readonly next: string;
}

type Known = CapabilityStatus & Partial<LiveStatus>;

/**
 * Judges whether a share of reads may be set. Unlike a flag set by hand it is refused where nothing could
 * come of it; taking reads away is safe at any time, and often urgent.
 * @param all of the capabilities whose rows move
 * @param now what the flag says before
 */
export function shareRefusal(
  { capability, kind, share }: ShareOrder,
  all: readonly Known[],
  now: FlagRule,
): ShareRefusal | null {
  const status = all.find((one) => one.capability === capability);
  const unready = share > 0 && status ? whyUnready(status) : null;
  if (unready) return unready;
  const moreMove = kind === 'reads' && (share > now.share || now.conditions !== null);
  return moreMove ? whyUnsafe(capability, all) : null;
}

/** One capability without a way back is enough: first that one, then the next reader. */
function whyUnsafe(capability: string, all: readonly Known[]): ShareRefusal | null {
  for (const other of all) {
    const wayBack = wayBackOf(other);
    if (other.capability === capability || wayBack === null || wayBack.safe) continue;
    const reason = `ROLLBACK UNSAFE of ${other.capability}, so no more reads move: ${wayBack.reason}`;
    return { code: 'rollback_unsafe', reason, next: wayBack.next };
  }
  return null;
}

function whyUnready({
  capability,
  stage,
  owner,
  backfill,
  parked,
  trouble,
}: Known): ShareRefusal | null {
  const refuse = (reason: string, next: string): ShareRefusal => {
    return { code: 'gate_refused', reason, next };
  };
  const other = owner === 'extracted' ? 'legacy' : 'extracted';
  if (stage === 'not installed') return refuse(trouble.join('; '), 'fig status');
  if (stage === 'alarm')
    return refuse('there is not exactly one owner', `fig doctor ${capability}`);
  if (backfill.state !== 'done') {
    return refuse(`${other} has no complete copy of the data`, `fig backfill ${capability}`);
  }
  if (parked !== null) {
    const reason = `reads stay with the owner while changes are parked`;
    return refuse(reason, `fig parked list ${capability}`);
  }
  return null;
}

interface ShareDeps {
  readonly flags: Flags;
  readonly flagStore?: FlagStore | undefined;
  readonly statuses: readonly LiveStatus[];
}

/**
 * Sets a share because an operator asks for it.
 * @throws Problem with what helps
 */
export async function setShare(
  { flags, flagStore, statuses }: ShareDeps,
  order: ShareOrder,
  options: FlagChangeOptions,
): Promise<FlagChange> {
  const { capability, kind, share } = order;
  const flag = `${capability}.${kind}`;
  const refusal = shareRefusal(order, statuses, flags.rule(flag));
  if (refusal) {
    const { code, reason, next } = refusal;
    throw new Problem(409, code, reason, { members: { capability, reason, next } });
  }
  if (flagStore === undefined) {
    const detail =
      `${flag} is kept by ${flags.state().source}; set it there, or start the engine with ` +
      'UNLEASH_ADMIN_TOKEN';
    throw new Problem(409, 'flag_kept_elsewhere', detail, { members: { flag } });
  }
  try {
    return await changeFlag(flagStore, flag, share, options);
  } catch (error) {
    if (!(error instanceof ForeignStrategies)) throw error;
    const verb = kind === 'reads' ? 'ramp' : 'shadow';
    const next = `fig ${verb} ${capability} ${share} --overwrite`;
    throw new Problem(409, 'foreign_strategies', error.message, { members: { flag, next } });
  }
}
