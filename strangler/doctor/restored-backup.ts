import type { Fence } from '../../chassis/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import { otherSide } from '../../routing/side.ts';
import type { BySide, SideName } from '../../routing/side.ts';
import type { PeerCheckpoint, Followed } from '../ledger/store.ts';

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

/** A database that was restored from a backup, or is another one altogether. */
export interface RestoredBackup {
  readonly side: SideName;
  /** How it shows. */
  readonly reason: string;
}

/** What both databases say of themselves and of each other. */
export interface Views {
  readonly peerViews: BySide<PeerView>;
  readonly ownViews: BySide<OwnView>;
  /** Whether a handover is under way, which explains a target that was not opened yet. */
  readonly isMoving: boolean;
}

/** Looks for databases that know less of themselves than the other one knows of them. */
export function restoredBackups({
  peerViews,
  ownViews,
  isMoving,
}: Views): readonly RestoredBackup[] {
  return (['legacy', 'extracted'] as const).flatMap((side) => {
    const reason = reasonFor(side, ownViews[side], peerViews[otherSide(side)], isMoving);
    return reason === null ? [] : [{ side, reason }];
  });
}

function reasonFor(
  side: SideName,
  own: OwnView,
  peerView: PeerView,
  isMoving: boolean,
): string | null {
  const other = otherSide(side);
  const known = peerView.other;
  if (known && known.incarnation !== own.incarnation) {
    return `${side} is another database than the one that ${other} has worked with`;
  }
  if (known && known.epoch > own.fence.epoch) {
    return `${side} was at epoch ${known.epoch} and is at ${own.fence.epoch} again`;
  }
  const ceded = peerView.fence.state === 'ceded' && !isMoving;
  if (ceded && peerView.fence.epoch > own.fence.epoch) {
    return `${other} has ceded to it at epoch ${peerView.fence.epoch}, and ${side} is at ${own.fence.epoch}`;
  }
  const { position, mark } = peerView.followed;
  if (position > own.last) {
    return `${other} has applied ${side}'s feed up to ${position}, and it ends at ${own.last}`;
  }
  if (mark !== null && own.mark !== null && mark !== own.mark) {
    return `${other} has applied another change at position ${position} than the one that ${side} has there`;
  }
  if (known && known.pulse > own.pulse) {
    return `${side} has forgotten what happened since ${other} saw it last`;
  }
  return null;
}

/**
 * Reads both databases in the order in which a change meanwhile can't look like a restored one: these are no
 * facts of one look, each of which is read once.
 */
export async function readViews(sides: BySide<SideDatabase>): Promise<Views> {
  const peerViews = await both(sides, peerViewOf);
  const unfinished = await both(sides, ({ store }) => store.unfinishedHandover());
  const ownViews = {
    legacy: await ownViewOf(sides.legacy, peerViews.extracted),
    extracted: await ownViewOf(sides.extracted, peerViews.legacy),
  };
  const isMoving = unfinished.legacy !== undefined || unfinished.extracted !== undefined;
  return { peerViews, ownViews, isMoving };
}

async function both<T>(
  { legacy, extracted }: BySide<SideDatabase>,
  read: (side: SideDatabase) => Promise<T>,
): Promise<BySide<T>> {
  const [first, second] = await Promise.all([read(legacy), read(extracted)]);
  return { legacy: first, extracted: second };
}

async function peerViewOf({ store }: SideDatabase): Promise<PeerView> {
  const fences = await store.fences();
  // Where single keys have moved, what was ceded last says how far the other one must have come.
  const { cededAt } = fences;
  const fence: Fence =
    fences.split && cededAt !== null ? { state: 'ceded', epoch: cededAt } : fences.rest;
  const followed = await store.followed();
  return { fence, followed, other: (await store.peerObservation()).other };
}

async function ownViewOf(side: SideDatabase, { followed }: PeerView): Promise<OwnView> {
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
