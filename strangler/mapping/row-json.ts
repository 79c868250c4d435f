import { BrokenText, textOfBytes } from './broken-text.ts';
import type { Row, SqlValue } from './sql-value.ts';
import { realOf, WholeReal, worthOf } from './sql-value.ts';

/**
 * JSON has no bytes, no whole numbers beyond 2^53, and SQLite prints 15 digits of a real number.
 * Such values are objects in an image: {"$blob": hex}, {"$int": text}, {"$real": 17 digits},
 * which say whether integers may stand beside it (see `WholeReal`), and
 * {"$text": hex} for a text that is no UTF-8.
 */
type Encoded =
  | null
  | string
  | number
  | { readonly $blob: string }
  | { readonly $text: string }
  | { readonly $int: string }
  | { readonly $real: string; readonly free?: true };

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
  if ('$text' in value) return new BrokenText(Buffer.from(value.$text, 'hex'));
  return realOf(Number(value.$real.replace('Inf', 'Infinity')), value.free === true);
}

/** A row's key from its JSON, by what its values are worth: databases find rows by that. */
export function decodeKey(json: string): Row {
  const key = decodeRow(json) as Record<string, SqlValue>;
  for (const column in key) key[column] = worthOf(key[column] ?? null);
  return key;
}

/** A row's key, the same for all keys that a database takes for one. */
export function encodeKey(key: Row): string {
  return encodeRow(
    Object.fromEntries(Object.entries(key).map(([column, value]) => [column, worthOf(value)])),
  );
}

export function encodeRow(row: Row): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(row).map(([column, value]) => [column, encode(value)])),
  );
}

/** The values of a key, the same for all keys that a database takes for one. */
export function encodeValues(values: readonly SqlValue[]): string {
  return JSON.stringify(values.map((value) => encode(worthOf(value))));
}

export function decodeValues(json: string): SqlValue[] {
  return (JSON.parse(json) as Encoded[]).map((value) => decode(value));
}

function encode(value: SqlValue): unknown {
  if (typeof value === 'bigint') return { $int: String(value) };
  if (value instanceof BrokenText) return { $text: Buffer.from(value).toString('hex') };
  if (value instanceof Uint8Array) return { $blob: Buffer.from(value).toString('hex') };
  if (value instanceof WholeReal) {
    const real = { $real: `${value.number}.0` };
    return value.free ? { ...real, free: true } : real;
  }
  if (Object.is(value, -0)) return { $real: '-0' };
  if (typeof value === 'number' && !Number.isInteger(value))
    return { $real: String(value).replace('Infinity', 'Inf') };
  return value;
}

/**
 * JSON of a row, or of its key, from the bytes that a database holds: texts that are no UTF-8 are
 * given by their bytes, and so is what decoding would make of them.
 */
export function exactJson(bytes: Uint8Array): string {
  const whole = textOfBytes(bytes);
  if (typeof whole === 'string') return whole;
  // One character a byte: what JSON is written with is ASCII, all else is inside its strings.
  const row = JSON.parse(Buffer.from(bytes).toString('latin1')) as Record<string, unknown>;
  const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
  const exact = Object.entries(row).map(([column, value]) => [
    bytesOf(column).toString('utf8'),
    typeof value === 'string' ? encode(textOfBytes(bytesOf(value))) : value,
  ]);
  return JSON.stringify(Object.fromEntries(exact));
}

/** A row's image without what must not lie about. */
export function withoutSecrets(columns: readonly string[], image: Row): Row {
  return Object.fromEntries(columns.map((column) => [column, image[column] ?? null]));
}

/**
 * Text in ASCII, as any database can keep it, whatever its encoding: the rest is escaped as JSON does.
 * JSON means the same afterwards; `fromAscii` gives back what is none.
 */
export function toAscii(text: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL has no place in PostgreSQL
  return text.replaceAll(/[\0\u0080-\uFFFF]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

export function fromAscii(text: string): string {
  return text.replaceAll(/\\u([0-9a-f]{4})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
