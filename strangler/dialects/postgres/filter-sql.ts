import type { SideName } from '../../../routing/side.ts';
import { columnOn } from '../../mapping/index.ts';
import type { Pair, SqlValue } from '../../mapping/index.ts';
import { textOf } from './columns.ts';
import { name, text } from './values.ts';

/** SQL that picks the pair's rows of a side's table. Literals take the types of their columns. */
export function filterSql(pair: Pair, side: SideName, row: string): string {
  const parts: string[] = [];
  for (const codec of pair.key) {
    const column = columnOn(codec, side);
    if (column === null) continue;
    const whole = `${row}.${name(column)}`;
    if (codec.constant !== undefined) parts.push(equalsSql(whole, codec.constant));
    else if (codec.prefix !== undefined && side === 'extracted') {
      parts.push(...prefixSql(whole, codec.prefix));
    }
  }
  for (const [column, values] of Object.entries(pair[side].where ?? {})) {
    const any = values.map((value) => equalsSql(`${row}.${name(column)}`, value));
    parts.push(`(${any.join(' OR ')})`);
  }
  return parts.length > 0 ? parts.join(' AND ') : 'true';
}

function equalsSql(column: string, value: SqlValue): string {
  return value === null ? `${column} IS NULL` : `${column} = ${text(textOf(value) ?? '')}`;
}

/** A range first, which an index in byte order can serve. */
function prefixSql(column: string, prefix: string): string[] {
  const whole = `${column} COLLATE "C"`;
  return [
    `${whole} >= ${text(prefix)}`,
    ...upperBound(whole, prefix),
    `starts_with(${column}, ${text(prefix)})`,
  ];
}

function upperBound(column: string, prefix: string): string[] {
  const last = prefix.charCodeAt(prefix.length - 1);
  if (!(last < 0x7f)) return [];
  return [`${column} < ${text(prefix.slice(0, -1) + String.fromCharCode(last + 1))}`];
}
