import { keptMark } from '../../feed-mark.ts';
import type { Followed } from '../../store.ts';
import type { SideName } from '../../side.ts';
import type { Prepare } from './schema.ts';

/** How far a side's feed has been applied; to its very beginning where nothing has. */
export function readFollowed(prepare: Prepare, capability: string, feedOf: SideName): Followed {
  // All columns: what an earlier build has installed has no marks.
  const row = prepare('SELECT * FROM fig_applied WHERE capability = ? AND feed_of = ?').get(
    capability,
    feedOf,
  ) as Followed | undefined;
  if (row === undefined) return { position: 0, mark: null };
  const { position, mark } = row;
  return { position, mark: keptMark(position, mark) };
}

/** Inside a transaction. */
export function writeFollowed(
  prepare: Prepare,
  capability: string,
  feedOf: SideName,
  { position, mark }: Followed,
): void {
  prepare(
    `INSERT INTO fig_applied (capability, feed_of, position, at, mark) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET position = excluded.position, at = excluded.at, mark = excluded.mark`,
  ).run(capability, feedOf, position, Date.now(), mark);
}
