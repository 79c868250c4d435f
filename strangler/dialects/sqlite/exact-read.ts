import type { Statement } from 'better-sqlite3';
import { exactJson, mayBeBroken, textOfBytes } from '../../mapping/index.ts';
import type { SqlValue } from '../../mapping/index.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import { bound, name, plain } from './values.ts';

type Prepare = (sql: string) => Statement;

/** What to read of a table, and the same by its bytes. */
export interface ExactSelect {
  readonly usual: string;
  readonly exact: string;
  /** For each column whether its type leaves numbers as they are. */
  readonly free: readonly boolean[];
}

/**
 * @param rest what follows the columns: `FROM ...`
 * @param free columns whose types leave numbers as they are: see `freeColumns`
 */
export function exactSelect(
  columns: readonly string[],
  rest: string,
  free: ReadonlySet<string>,
): ExactSelect {
  const names = columns.map((column) => name(column));
  const pieces = names.map(
    (column) =>
      `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) ELSE ${column} END, ` +
      `typeof(${column}) = 'text'`,
  );
  return {
    usual: `SELECT ${names.join(', ')} ${rest}`,
    exact: `SELECT ${pieces.join(', ')} ${rest}`,
    free: columns.map((column) => free.has(column)),
  };
}

/**
 * Reads values as they are. The driver makes texts of whatever bytes there are: where one of them
 * may have been no UTF-8, all are read again by their bytes. Inside one moment of the database only.
 */
export function readExactly(
  prepare: Prepare,
  { usual, exact, free }: ExactSelect,
  parameters: readonly SqlValue[],
): SqlValue[][] {
  const values = parameters.map((value) => bound(value));
  const read = (sql: string): unknown[][] =>
    prepare(sql)
      .raw()
      .safeIntegers()
      .all(...values) as unknown[][];
  const found = read(usual);
  if (!found.some((row) => row.some(mayBeBroken))) {
    return found.map((row) => row.map((value, index) => plain(value, free[index])));
  }
  return read(exact).map((row) =>
    row.flatMap((value, index) => {
      if (index % 2 === 1) return [];
      if (row[index + 1] === 1n) return [textOfBytes(value as Uint8Array)];
      return [plain(value, free[index / 2])];
    }),
  );
}

/** Rows of a feed as they are: texts in keys and images that are no UTF-8 are given by their bytes. */
export function exactChanges(
  prepare: Prepare,
  feed: string,
  rows: readonly PackedRow[],
): readonly PackedRow[] {
  if (!rows.some(([, , , key, , image]) => mayBeBroken(key) || mayBeBroken(image))) return rows;
  const sql = `SELECT CAST(key AS BLOB), CAST(image AS BLOB) FROM ${feed} WHERE position = ?`;
  return rows.map((row): PackedRow => {
    const [position, tx, table, key, op, image, epoch, at] = row;
    if (!mayBeBroken(key) && !mayBeBroken(image)) return row;
    const [keyBytes, imageBytes] = prepare(sql).raw().get(position) as [Buffer, Buffer | null];
    const exact = imageBytes === null ? null : exactJson(imageBytes);
    return [position, tx, table, exactJson(keyBytes), op, exact, epoch, at];
  });
}
