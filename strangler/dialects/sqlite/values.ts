import { BrokenText, MappingError, realOf, shown, WholeReal } from '../../mapping/index.ts';
import type { SqlValue } from '../../mapping/index.ts';

/**
 * SQL that writes a value as JSON text, exactly.
 * @param free whether its column's type leaves numbers as they are
 */
export function encodedSql(expression: string, free: boolean): string {
  const mark = free ? ',"free":true' : '';
  return (
    `CASE typeof(${expression})` +
    ` WHEN 'blob' THEN '{"$blob":"' || hex(${expression}) || '"}'` +
    ` WHEN 'real' THEN '{"$real":"' || printf('%!.17g', ${expression}) || '"${mark}}'` +
    ` WHEN 'integer' THEN CASE WHEN ${expression} BETWEEN -9007199254740991 AND 9007199254740991` +
    ` THEN CAST(${expression} AS TEXT) ELSE '{"$int":"' || ${expression} || '"}' END` +
    ` ELSE json_quote(${expression}) END`
  );
}

/**
 * SQL for a JSON object of columns of `row` (NEW, OLD, or a table's alias).
 * @param free those of the table whose types leave numbers as they are
 */
export function imageSql(
  row: string,
  columns: readonly string[],
  free: ReadonlySet<string>,
): string {
  const members = columns.map(
    (column, index) =>
      `${text(`${index === 0 ? '{' : ','}${JSON.stringify(column)}:`)} || ` +
      encodedSql(`${row}.${name(column)}`, free.has(column)),
  );
  return `${chained(members, ' || ')} || '}'`;
}

/** SQLite takes an expression to be as deep as its chain is long, and none that is deeper than 1,000. */
const CHAIN = 100;

/** Joins operands of an operator for which parentheses change nothing, in groups where there are many. */
export function chained(operands: readonly string[], operator: string): string {
  if (operands.length <= CHAIN) return operands.join(operator);
  const groups = Array.from({ length: Math.ceil(operands.length / CHAIN) }, (_, index) =>
    operands.slice(index * CHAIN, (index + 1) * CHAIN).join(operator),
  );
  return groups.map((group) => `(${group})`).join(operator);
}

/** A name as SQL. */
export function name(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** Text as SQL. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * A value as the driver takes it: it would bind every number as a real one.
 * @throws MappingError for what would silently become something else: NaN, -0, and text that is none
 */
export function bound(value: SqlValue): Exclude<SqlValue, WholeReal> {
  if (typeof value === 'string') {
    if (value.isWellFormed()) return value;
    throw new MappingError(`${shown(value)} is no UTF-8`);
  }
  if (value instanceof BrokenText) throw new MappingError(`${shown(value)} is no UTF-8`);
  if (value instanceof WholeReal) return value.number;
  if (Object.is(value, -0)) throw new MappingError('SQLite keeps no sign of -0');
  if (Number.isNaN(value)) throw new MappingError('SQLite has no number that is none (NaN)');
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/**
 * A value as the driver gave it with `safeIntegers`.
 * @param free whether its column's type leaves numbers as they are, reals and integers
 */
export function plain(value: unknown, free = false): SqlValue {
  // Not -0, whose sign is lost as soon as its row is written again.
  if (typeof value === 'number') return realOf(value === 0 ? 0 : value, free);
  if (typeof value !== 'bigint') return value as SqlValue;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
