import { invalidRequest } from './problem.ts';
import { sha256 } from './hash.ts';

const CHECK_LENGTH = 8;

/** An opaque page cursor for the list `list`, standing after the row with this key. */
export function encodeCursor(list: string, key: string): string {
  const check = sha256(`${list}\n${key}`).slice(0, CHECK_LENGTH);
  return Buffer.from(`${check}${key}`).toString('base64url');
}

/**
 * The key a cursor stands after.
 * @throws Problem 400 `invalid_request` for a cursor that this list did not give out
 */
export function decodeCursor(list: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  const key = text.slice(CHECK_LENGTH);
  if (encodeCursor(list, key) === cursor) return key;
  throw invalidRequest([
    {
      field: 'cursor',
      value: cursor.slice(0, 100),
      message: 'is not a cursor of this list',
      remedy: 'use the nextCursor of the answer before, or leave it out to start over',
    },
  ]);
}

/** One page of a list, as the HTTP contract shows it. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/**
 * Cuts one page out of rows that were read with one row more than the page holds.
 * @param rows at most `limit` + 1 rows in key order
 */
export function toPage<Row, T>(
  list: string,
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
  present: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(present), nextCursor: more ? encodeCursor(list, keyOf(last)) : null };
}
