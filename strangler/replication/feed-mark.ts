import type { Followed, Slice } from '../ledger/store.ts';

/** What a mark is made of. */
export interface Marked {
  readonly position: number;
  readonly tx: number;
  readonly at: number;
}

/** No change of any feed has this: the applier then stops until a person has decided. */
const MATCHES_NOTHING = '?';

/**
 * Tells a change from the one that a restored backup has given the same position since: that one was
 * recorded at another time. The position is in it, so that a build which keeps none leaves one behind
 * that is seen to be old.
 */
export function markOf({ position, tx, at }: Marked): string {
  return `${position}:${tx}:${at}`;
}

/** A mark as it is kept, unless it is of another position: an earlier build has gone on from there. */
export function keptMark(position: number, mark: string | null | undefined): string | null {
  return mark?.startsWith(`${position}:`) === true ? mark : null;
}

/** A mark that no feed matches, so that nothing of it is applied. */
export function blockingMark(position: number): string {
  return `${position}:${MATCHES_NOTHING}`;
}

/**
 * Whether a slice goes on where a side has followed its feed to: the change at that position has to be
 * the one that was applied. A feed that was restored from a backup may have grown beyond it again, with
 * changes that are not those the side knows.
 * @param followed a position that the slice reaches: not before its start, and not beyond its end
 */
export function goesOnFrom(slice: Slice, { position, mark }: Followed): boolean {
  if (mark === null || slice.before === undefined) return true;
  return mark === markAt(slice, position);
}

/** The mark of a position that a slice reaches; null where it does not tell. */
export function markAt({ after, before = null, changes }: Slice, position: number): string | null {
  if (position === after) return before;
  const change = changes[position - after - 1];
  return change === undefined ? null : markOf(change);
}

/** A feed is not the one that its other side has followed so far: nothing of it is applied. */
export class OtherFeedError extends Error {
  override readonly name = 'OtherFeedError';

  constructor({ capability, feedOf }: Slice, position: number) {
    super(
      `the feed of ${capability} (${feedOf}) holds another change at position ${position} than the ` +
        `one that was applied: ${feedOf} was restored from a backup, or replaced, and nothing of it ` +
        `is applied before a person has decided: fig doctor ${capability}`,
    );
  }
}
