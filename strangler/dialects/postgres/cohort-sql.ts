import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SideName } from '../../side.ts';
import { name, text } from './values.ts';

/** The state of a key's fence: of its own row if there is one, otherwise of the row of the rest. */
export function stateSql(capability: string, key: string): string {
  const row = (of: string): string =>
    `(SELECT f.state FROM fig_fence f WHERE f.capability = ${text(capability)} AND f.key = ${of})`;
  return `coalesce(${row(`(${key})::text`)}, ${row("'*'")})`;
}

/** All keys that a side's tables hold rows of; null where nothing moves by key. */
export function knownKeysSql(mapping: Mapping, side: SideName): string | null {
  const column = mapping.cohortKey?.[side];
  if (column === undefined) return null;
  const keys = tablesOf(mapping, side).map(
    (table) => `SELECT ${name(column)}::text AS key FROM ${name(table)}`,
  );
  return `SELECT key FROM (${keys.join(' UNION ')}) k ORDER BY key COLLATE "C"`;
}
