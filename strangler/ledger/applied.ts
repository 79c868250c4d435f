import { keptMark } from '../replication/feed-mark.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Followed } from './store.ts';
import type { LedgerValue, Reads, Tx } from './dialect.ts';

/** How far a feed has been applied. All columns: a table of an earlier build has no marks. */
export const FOLLOWED_SQL = 'SELECT * FROM fig_applied WHERE capability = $1 AND feed_of = $2';

/** Writes how far a feed has been applied, with `followValues`. */
export const FOLLOW_SQL = `INSERT INTO fig_applied (capability, feed_of, position, at, mark)
    VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (capability, feed_of) DO UPDATE SET
    position = excluded.position, at = excluded.at, mark = excluded.mark`;

/** A row of `fig_applied`. */
export interface AppliedRow {
  readonly position: number;
  readonly mark?: string | null;
}

/** What a row says; the feed's very beginning where there is none. */
export function followedOf(row: AppliedRow | undefined): Followed {
  if (row === undefined) return { position: 0, mark: null };
  const { position, mark } = row;
  return { position, mark: keptMark(position, mark) };
}

export function followValues(
  capability: string,
  feedOf: SideName,
  { position, mark }: Followed,
): readonly [string, string, number, number, string | null] {
  return [capability, feedOf, position, Date.now(), mark];
}

/** How far a side has applied the other side's feed. */
export async function readFollowed(
  tx: Reads,
  capability: string,
  side: SideName,
): Promise<Followed> {
  return followedOf(await tx.get<AppliedRow>(FOLLOWED_SQL, [capability, otherSide(side)]));
}

export async function saveFollowed(
  tx: Tx,
  capability: string,
  side: SideName,
  followed: Followed,
): Promise<void> {
  const values: readonly LedgerValue[] = followValues(capability, otherSide(side), followed);
  await tx.run(FOLLOW_SQL, values);
}
