import type { SideName } from '../../../routing/side.ts';
import { columnOn } from '../../mapping/index.ts';
import type { Pair, SqlValue } from '../../mapping/index.ts';
import { name, text } from './values.ts';

/** SQL that picks the pair's rows of a side's table. */
export function filterSql(pair: Pair, side: SideName): string {
  const parts: string[] = [];
  for (const codec of pair.key) {
    const column = columnOn(codec, side);
    if (column === null) continue;
    if (codec.constant !== undefined) parts.push(`${name(column)} = ${literal(codec.constant)}`);
    else if (codec.prefix !== undefined && side === 'extracted') {
      parts.push(...prefixSql(name(column), codec.prefix));
    }
  }
  for (const [column, values] of Object.entries(pair[side].where ?? {})) {
    const listed = values.filter((value) => value !== null).map((value) => literal(value));
    const inList = listed.length > 0 ? [`${name(column)} IN (${listed.join(', ')})`] : [];
    const isNull = values.includes(null) ? [`${name(column)} IS NULL`] : [];
    parts.push(`(${[...inList, ...isNull].join(' OR ')})`);
  }
  return parts.length > 0 ? parts.join(' AND ') : 'true';
}

/** A range first, which an index can serve; LIKE would also fold case. */
function prefixSql(column: string, prefix: string): string[] {
  const exact = `substr(${column}, 1, length(${text(prefix)})) = ${text(prefix)}`;
  return [`${column} >= ${text(prefix)}`, exact, ...upperBound(column, prefix)];
}

function upperBound(column: string, prefix: string): string[] {
  const last = prefix.charCodeAt(prefix.length - 1);
  if (!(last < 0x7f)) return [];
  return [`${column} < ${text(prefix.slice(0, -1) + String.fromCharCode(last + 1))}`];
}

/** A value as SQL. */
export function literal(value: SqlValue): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return value === null ? 'NULL' : text(String(value));
}
