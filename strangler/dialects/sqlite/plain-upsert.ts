import { carryValue, columnOn, isColumnPair, MappingError, writes } from '../../mapping/index.ts';
import type { Codec, Mapping, Pair, Row, SqlValue } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { foreignTriggers, freeColumns, uniqueColumns } from './schema.ts';
import type { Prepare } from './schema.ts';
import { bound, name } from './values.ts';

/** Brings a row over whole, in one statement: what most rows need, at half the time. */
export interface PlainUpsert {
  readonly sql: string;
  /** The statement's parameters for a row of the owner. @throws MappingError */
  values(row: Row): SqlValue[];
}

/** A column to write, and where its value comes from. */
interface Cell {
  readonly column: string;
  valueOf(row: Row): SqlValue;
}

/**
 * @returns undefined where a pair's rows take more than that: they are shared with other pairs, told
 *   apart by a filter, found by what no index makes unique, or watched by others' triggers
 */
export function plainUpsert(
  prepare: Prepare,
  mapping: Mapping,
  pair: Pair,
  side: SideName,
): PlainUpsert | undefined {
  const { table, where } = pair[side];
  const shared = mapping.pairs.some(
    (other) => other[side].table === table && isColumnPair(other, side),
  );
  if (shared || where !== undefined) return undefined;
  const key = pair.key.flatMap((codec) => cellOf(codec, pair, side, true));
  const own = pair.columns
    .filter((codec) => writes(codec, side))
    .flatMap((codec) => cellOf(codec, pair, side, false));
  const cells = [...key, ...own];
  if (!isWhole(prepare, table, key, cells)) return undefined;
  // Theirs would see an insert where a row is only changed.
  if (foreignTriggers(prepare, mapping, side).some((trigger) => trigger.table === table)) {
    return undefined;
  }
  return {
    sql: upsertSql(table, key, own, freeColumns(prepare, table)),
    values: (row) => cells.map((cell) => bound(cell.valueOf(row))),
  };
}

function cellOf(codec: Codec, pair: Pair, side: SideName, isKey: boolean): Cell[] {
  const column = columnOn(codec, side);
  if (column === null) return [];
  const { constant } = codec;
  if (constant !== undefined) return [{ column, valueOf: () => constant }];
  const from = columnOn(codec, otherSide(side)) ?? '';
  return [
    {
      column,
      valueOf(row) {
        const value = row[from] ?? null;
        if (value !== null) return carryValue(codec, otherSide(side), value);
        if (isKey) throw new MappingError(`pair "${pair.name}": key ${from} is NULL`);
        return null;
      },
    },
  ];
}

/** Whether the key alone makes a row unique, and every column that needs a value gets one. */
function isWhole(
  prepare: Prepare,
  table: string,
  key: readonly Cell[],
  cells: readonly Cell[],
): boolean {
  const keyed = key.map(({ column }) => column);
  const written = new Set(cells.map(({ column }) => column));
  const unique = uniqueColumns(prepare, table).some(
    (columns) => columns.length === keyed.length && columns.every((c) => keyed.includes(c)),
  );
  const needed = prepare(
    'SELECT name FROM pragma_table_info(?) WHERE "notnull" = 1 AND dflt_value IS NULL',
  )
    .pluck()
    .all(table) as string[];
  return unique && needed.every((column) => written.has(column));
}

function upsertSql(
  table: string,
  key: readonly Cell[],
  own: readonly Cell[],
  free: ReadonlySet<string>,
): string {
  const list = (cells: readonly Cell[]): string =>
    cells.map(({ column }) => name(column)).join(', ');
  // SQLite finds 3.0 by 3: where a key may be either, it is written as well.
  const written = [...own, ...key.filter(({ column }) => free.has(column))];
  const set = written.map(({ column }) => `${name(column)} = excluded.${name(column)}`);
  const all = [...key, ...own];
  return (
    `INSERT INTO ${name(table)} (${list(all)}) VALUES (${all.map(() => '?').join(', ')}) ` +
    `ON CONFLICT (${list(key)}) DO ${set.length > 0 ? `UPDATE SET ${set.join(', ')}` : 'NOTHING'}`
  );
}
