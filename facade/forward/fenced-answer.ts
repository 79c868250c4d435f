import type { SideName } from '../../routing/index.ts';
import type { OwnershipCache } from '../ownership/index.ts';
import type { Capability } from '../match/index.ts';

/** A fence's refusal, as problem+json tells it. */
export interface FencedAnswer {
  readonly capability: string;
  /** Whose own fence it was; undefined for that of the rest. */
  readonly key: string | undefined;
  readonly state: 'closed' | 'ceded';
  /** Undefined where it was given away for good. */
  readonly epoch: number | undefined;
}

/** The same as attributes of a span: whose fence it was is no fact for those who read traces. */
export function spanFacts({ capability, state, epoch }: FencedAnswer) {
  return {
    'fig.capability': capability,
    'fig.fence': state,
    ...(epoch !== undefined && { 'fig.epoch': epoch }),
  };
}

const FENCED_STATUS = 421;
/** A side that has given a capability away for good; its routes are gone. */
const GONE_STATUS = 410;

/** Whether an answer of this status may be a fence's; only its body says so. */
export function mayBeFenced(status: number): boolean {
  return status === FENCED_STATUS || status === GONE_STATUS;
}

/** Tells the ownership cache what a side's fence has answered. */
export function learnFence(
  ownershipCache: OwnershipCache,
  capability: Capability,
  side: SideName,
  { key, state, epoch }: FencedAnswer,
): void {
  if (epoch === undefined) ownershipCache.gone(capability, side);
  else ownershipCache.fenced(capability, key, { side, state, epoch });
}

/**
 * What a side's fence has answered.
 * @param chunks the whole body
 * @returns undefined where no fence has
 */
export function fencedAnswer(chunks: readonly Buffer[]): FencedAnswer | undefined {
  try {
    const problem = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const { code, capability, key, state, epoch } = problem;
    if (typeof capability !== 'string') return undefined;
    if (code === 'moved_away') {
      return { capability, key: undefined, state: 'ceded', epoch: undefined };
    }
    if (code !== 'fenced') return undefined;
    return {
      capability,
      key: typeof key === 'string' ? key : undefined,
      state: state === 'ceded' ? 'ceded' : 'closed',
      epoch: typeof epoch === 'number' ? epoch : 0,
    };
  } catch {
    return undefined;
  }
}
