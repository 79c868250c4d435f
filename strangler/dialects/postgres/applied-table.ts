import { FOLLOW_SQL, followValues } from '../../ledger/index.ts';
import type { SideName } from '../../side.ts';
import type { Followed } from '../../store.ts';
import { text } from './values.ts';

/** SQL for the mark of a row `a`: what an earlier build has installed has no such column. */
export const MARK = `to_jsonb(a) ->> 'mark'`;

/**
 * SQL that keeps how far a side's feed has been applied, with its values in it: it goes to the server
 * together with other statements, and a network lies between.
 */
export function followSql(capability: string, feedOf: SideName, followed: Followed): string {
  const values = followValues(capability, feedOf, followed);
  return FOLLOW_SQL.replaceAll(/\$(\d)/g, (_, place: string) => {
    const value = values[Number(place) - 1] ?? null;
    return typeof value === 'string' ? text(value) : String(value);
  });
}
