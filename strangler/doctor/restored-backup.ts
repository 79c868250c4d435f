import type { Fence } from '../../chassis/index.ts';
import type { SideDatabase } from '../side-database.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { PeerCheckpoint, Followed } from '../store.ts';

/** What a database says of the other one. To be read before that one is: all of it only grows. */
export interface PeerView {
  readonly other: PeerCheckpoint | null;
  readonly fence: Fence;
  /** How far it has applied the other one's feed, and what tells that feed from another. */
  readonly followed: Followed;
}

/** What a database says of itself. */
export interface OwnView {
  readonly incarnation: string;
  readonly fence: Fence;
  /** Last position of its own feed. */
  readonly last: number;
  /** The mark of its change up to which the other one has applied its feed; null where it has none there. */
  readonly mark: string | null;
  readonly pulse: number;
}

export interface BySide<T> {
  readonly legacy: T;
  readonly extracted: T;
}

/** A database that was restored from a backup, or is another one altogether. */
export interface RestoredBackup {
  readonly side: SideName;
  /** How it shows. */
  readonly reason: string;
}

/**
 * Looks for databases that know less of themselves than the other one knows of them.
 * @param isMoving whether a handover is under way, which explains a target that was not opened yet
 */
export function restoredBackups(
  peerViews: BySide<PeerView>,
  ownViews: BySide<OwnView>,
  isMoving: boolean,
): readonly RestoredBackup[] {
  return (['legacy', 'extracted'] as const).flatMap((side) => {
    const reason = reasonFor(side, ownViews[side], peerViews[otherSide(side)], isMoving);
    return reason === null ? [] : [{ side, reason }];
  });
}

function reasonFor(
  side: SideName,
  self: OwnView,
  witness: PeerView,
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
  const { position, mark } = witness.followed;
  if (position > self.last) {
    return `${other} has applied ${side}'s feed up to ${position}, and it ends at ${self.last}`;
  }
  if (mark !== null && self.mark !== null && mark !== self.mark) {
    return `${other} has applied another change at position ${position} than the one that ${side} has there`;
  }
  if (known && known.pulse > self.pulse) {
    return `${side} has forgotten what happened since ${other} saw it last`;
  }
  return null;
}

/** Reads both databases in the order in which a change meanwhile can't look like a restored one. */
export async function findRestoredBackups(
  sides: BySide<SideDatabase>,
): Promise<readonly RestoredBackup[]> {
  const peerViews = await both(sides, testimonyOf);
  const unfinished = await both(sides, ({ store }) => store.unfinishedHandover());
  const ownViews = {
    legacy: await selfOf(sides.legacy, peerViews.extracted),
    extracted: await selfOf(sides.extracted, peerViews.legacy),
  };
  const isMoving = unfinished.legacy !== undefined || unfinished.extracted !== undefined;
  return restoredBackups(peerViews, ownViews, isMoving);
}

async function both<T>(
  { legacy, extracted }: BySide<SideDatabase>,
  read: (side: SideDatabase) => Promise<T>,
): Promise<BySide<T>> {
  const [first, second] = await Promise.all([read(legacy), read(extracted)]);
  return { legacy: first, extracted: second };
}

async function testimonyOf({ store }: SideDatabase): Promise<PeerView> {
  const fences = await store.fences();
  // Where single keys have moved, what was ceded last says how far the other one must have come.
  const { cededAt } = fences;
  const fence: Fence =
    fences.split && cededAt !== null ? { state: 'ceded', epoch: cededAt } : fences.rest;
  const followed = await store.followed();
  return { fence, followed, other: (await store.peerObservation()).other };
}

async function selfOf(side: SideDatabase, { followed }: PeerView): Promise<OwnView> {
  const { pulse } = await side.store.peerObservation();
  const last = await side.store.lastPosition();
  // Whatever is trimmed, the change that was applied last stays for long after that.
  const mark = await side.feed.markAt(followed.position);
  const installation = await side.installation();
  const { rest, epoch } = await side.store.fences();
  return {
    incarnation: installation?.incarnation ?? '',
    fence: { state: rest.state, epoch },
    last,
    mark,
    pulse,
  };
}
