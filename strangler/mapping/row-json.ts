import type { Row, SqlValue } from './codec.ts';

/**
 * JSON has no bytes, no whole numbers beyond 2^53, and SQLite prints 15 digits of a real number.
 * Such values are objects in an image: {"$blob": hex}, {"$int": text}, {"$real": 17 digits}.
 */
type Encoded =
  | null
  | string
  | number
  | { readonly $blob: string }
  | { readonly $int: string }
  | { readonly $real: string };

/** A row from its JSON, as capture or `encodeRow` wrote it. */
export function decodeRow(json: string): Row {
  const row = JSON.parse(json) as Record<string, SqlValue>;
  // In place, and only what JSON can't say: almost every value is as it should be.
  for (const column in row) {
    const value = row[column] as Encoded;
    if (typeof value === 'object' && value !== null) row[column] = decode(value);
  }
  return row;
}

function decode(value: Encoded): SqlValue {
  if (value === null || typeof value !== 'object') return value;
  if ('$blob' in value) return Buffer.from(value.$blob, 'hex');
  if ('$int' in value) return BigInt(value.$int);
  return Number(value.$real.replace('Inf', 'Infinity'));
}

export function encodeRow(row: Row): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encode(value)])),
  );
}

export function encodeValues(values: readonly SqlValue[]): string {
  return JSON.stringify(values.map((value) => encode(value)));
}

export function decodeValues(json: string): SqlValue[] {
  return (JSON.parse(json) as Encoded[]).map((value) => decode(value));
}

function encode(value: SqlValue): unknown {
  if (typeof value === 'bigint') return { $int: String(value) };
  if (value instanceof Uint8Array) return { $blob: Buffer.from(value).toString('hex') };
  if (typeof value === 'number' && !Number.isInteger(value))
    return { $real: String(value).replace('Infinity', 'Inf') };
  return value;
}

/** A row's image without what must not lie about. */
export function withoutSecrets(columns: readonly string[], image: Row): Row {
  return Object.fromEntries(columns.map((column) => [column, image[column] ?? null]));
}
