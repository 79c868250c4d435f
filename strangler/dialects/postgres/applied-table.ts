import { FOLLOW_SQL, followValues } from '../../ledger/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Followed } from '../../ledger/store.ts';
import { inlined } from './values.ts';

/** SQL for the mark of a row `a`: what an earlier build has installed has no such column. */
export const MARK = `to_jsonb(a) ->> 'mark'`;

/**
 * SQL that keeps how far a side's feed has been applied, with its values in it: it goes to the server
 * together with other statements, and a network lies between.
 */
export function followSql(capability: string, feedOf: SideName, followed: Followed): string {
  return inlined(FOLLOW_SQL, followValues(capability, feedOf, followed));
}
