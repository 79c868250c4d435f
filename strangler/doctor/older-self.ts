import type { Fence } from '../../chassis/index.ts';
import type { SideDatabase } from '../side-database.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { Greeting } from '../store.ts';

/** What a database says of the other one. To be read before that one is: all of it only grows. */
export interface Testimony {
  readonly other: Greeting | null;
  readonly fence: Fence;
  /** How far it has applied the other one's feed. */
  readonly applied: number;
}

/** What a database says of itself. */
export interface Self {
  readonly incarnation: string;
  readonly fence: Fence;
  /** Last position of its own feed. */
  readonly last: number;
  readonly pulse: number;
}

export interface Pair<T> {
  readonly legacy: T;
  readonly extracted: T;
}

/** A database that was restored from a backup, or is another one altogether. */
export interface OlderSelf {
  readonly side: SideName;
  /** How it shows. */
  readonly reason: string;
}

/**
 * Looks for databases that know less of themselves than the other one knows of them.
 * @param isMoving whether a handover is under way, which explains a target that was not opened yet
 */
export function olderSelves(
  testimonies: Pair<Testimony>,
  selves: Pair<Self>,
  isMoving: boolean,
): readonly OlderSelf[] {
  return (['legacy', 'extracted'] as const).flatMap((side) => {
    const reason = reasonFor(side, selves[side], testimonies[otherSide(side)], isMoving);
    return reason === null ? [] : [{ side, reason }];
  });
}

function reasonFor(
  side: SideName,
  self: Self,
  witness: Testimony,
  isMoving: boolean,
): string | null {
  const other = otherSide(side);
  const known = witness.other;
  if (known && known.incarnation !== self.incarnation) {
    return `${side} is another database than the one that ${other} has worked with`;
  }
  if (known && known.epoch > self.fence.epoch) {
    return `${side} was at epoch ${known.epoch} and is at ${self.fence.epoch} again`;
  }
  const ceded = witness.fence.state === 'ceded' && !isMoving;
  if (ceded && witness.fence.epoch > self.fence.epoch) {
    return `${other} has ceded to it at epoch ${witness.fence.epoch}, and ${side} is at ${self.fence.epoch}`;
  }
  if (witness.applied > self.last) {
    return `${other} has applied ${side}'s feed up to ${witness.applied}, and it ends at ${self.last}`;
  }
  if (known && known.pulse > self.pulse) {
    return `${side} has forgotten what happened since ${other} saw it last`;
  }
  return null;
}

/** Reads both databases in the order in which a change meanwhile can't look like a restored one. */
export async function findOlderSelves(sides: Pair<SideDatabase>): Promise<readonly OlderSelf[]> {
  const testimonies = await both(sides, testimonyOf);
  const unfinished = await both(sides, ({ store }) => store.unfinishedHandover());
  const selves = await both(sides, selfOf);
  const isMoving = unfinished.legacy !== undefined || unfinished.extracted !== undefined;
  return olderSelves(testimonies, selves, isMoving);
}

async function both<T>(
  { legacy, extracted }: Pair<SideDatabase>,
  read: (side: SideDatabase) => Promise<T>,
): Promise<Pair<T>> {
  const [first, second] = await Promise.all([read(legacy), read(extracted)]);
  return { legacy: first, extracted: second };
}

async function testimonyOf({ store }: SideDatabase): Promise<Testimony> {
  const fences = await store.fences();
  // Where single keys have moved, what was ceded last says how far the other one must have come.
  const { cededAt } = fences;
  const fence: Fence =
    fences.split && cededAt !== null ? { state: 'ceded', epoch: cededAt } : fences.rest;
  const applied = await store.appliedPosition();
  return { fence, applied, other: (await store.acquaintance()).other };
}

async function selfOf(side: SideDatabase): Promise<Self> {
  const { pulse } = await side.store.acquaintance();
  const last = await side.store.lastPosition();
  const installation = await side.installation();
  const { rest, epoch } = await side.store.fences();
  return {
    incarnation: installation?.incarnation ?? '',
    fence: { state: rest.state, epoch },
    last,
    pulse,
  };
}
