import { keptMark } from '../../feed-mark.ts';
import type { Followed } from '../../store.ts';
import type { SideName } from '../../side.ts';
import { text } from './values.ts';

/** SQL for the mark of a row `a`: what an earlier build has installed has no such column. */
export const MARK = `to_jsonb(a) ->> 'mark'`;

/** A row of `fig_applied` as it was read; none where nothing has been applied. */
export function followedOf(
  row: { readonly position: number; readonly mark: string | null } | undefined,
): Followed {
  if (row === undefined) return { position: 0, mark: null };
  return { position: row.position, mark: keptMark(row.position, row.mark) };
}

/** SQL that keeps how far a side's feed has been applied. */
export function followedSql(
  capability: string,
  feedOf: SideName,
  { position, mark }: Followed,
): string {
  const [of, from] = [text(capability), text(feedOf)];
  return `INSERT INTO fig_applied (capability, feed_of, position, at, mark)
    VALUES (${of}, ${from}, ${position}, ${Date.now()}, ${mark === null ? 'NULL' : text(mark)})
    ON CONFLICT (capability, feed_of) DO UPDATE SET
      position = excluded.position, at = excluded.at, mark = excluded.mark`;
}
