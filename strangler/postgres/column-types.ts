import { isWhole } from '../mapping/index.ts';
import type { SqlValue } from '../mapping/index.ts';
import type { Column } from './schema.ts';

const WHOLE: Readonly<Record<string, readonly [least: bigint, most: bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
  oid: [0n, 2n ** 32n - 1n],
};

const TEXTS: readonly SqlValue[] = ['12.30', '007', ' 5', '1e3', 'é\u{1F600}', ''];
const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'varchar', 'citext']);

/** Values such as a column of the type is there for; none for types that only say what they are. */
export function probesOf(column: Column): readonly SqlValue[] {
  const { kind, type } = column;
  if (kind === 'integer') return [...(WHOLE[type] ?? []).map(plain), 0, 7];
  if (kind === 'boolean') return [0, 1];
  if (kind === 'bytes') return [Buffer.from('00ff', 'hex')];
  if (kind === 'real') return type === 'float4' ? [0.5, 0.1] : [0.1 + 0.2, 0.5, 1e300];
  if (kind === 'time') return [`2026-01-31 09:30:00.${fraction(column)}`];
  if (type === 'date') return ['2026-02-28'];
  if (type === 'numeric') return [decimal(column)];
  const [longest] = sizesOf(column);
  if (TEXT_TYPES.has(type)) return TEXTS.filter((value) => lengthOf(String(value)) <= longest);
  return [];
}

/**
 * What a column holds after it was given a value as the applier gives it, in the form of images.
 * Types that are not named here are taken to hold what they are given: only a server knows better,
 * and rows of the same type hold nothing else.
 * @throws when the column does not take the value
 */
export function storedIn(column: Column, value: SqlValue): SqlValue {
  if (value === null) return null;
  if (!isWhole(value)) throw new Error('it is no UTF-8');
  const { kind, type, declared } = column;
  const refuse = (): never => {
    throw new Error(`invalid input for type ${declared}: ${String(value)}`);
  };
  // Text that is given to a column of bytes is taken for the bytes that it is written with.
  if (kind === 'bytes') {
    return value instanceof Uint8Array ? value : Buffer.from(String(value));
  }
  if (value instanceof Uint8Array) return refuse();
  if (kind === 'integer') return whole(value, WHOLE[type]) ?? refuse();
  if (kind === 'boolean') return /^[01]$/.test(String(value)) ? Number(value) : refuse();
  if (kind === 'real') return real(value, type) ?? refuse();
  if (type === 'numeric') return rounded(String(value), sizesOf(column)) ?? refuse();
  if (kind === 'time') {
    if (FAR.test(String(value))) return value;
    return time(String(value), fraction(column).length) ?? refuse();
  }
  return textIn(column, String(value)) ?? refuse();
}

function plain(value: bigint): SqlValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function whole(
  value: SqlValue,
  range: readonly [bigint, bigint] | undefined,
): SqlValue | undefined {
  const text = String(value).trim();
  if (!/^[+-]?\d+$/.test(text) || range === undefined) return undefined;
  const number = BigInt(text);
  return number >= range[0] && number <= range[1] ? plain(number) : undefined;
}

function real(value: SqlValue, type: string): SqlValue | undefined {
  const text = String(value).trim();
  const number = Number(text);
  if (text === '' || (Number.isNaN(number) && text !== 'NaN')) return undefined;
  const held = type === 'float4' ? Math.fround(number) : number;
  // What is too large or too small is refused, and not made infinite or nothing.
  if (!Number.isFinite(held) && /\d/.test(text)) return undefined;
  if (held === 0 && /^[^e]*[1-9]/i.test(text)) return undefined;
  return type === 'float4' ? shortest(held) : held;
}

/** The fewest digits that name a real number of four bytes, which is how it is read. */
function shortest(held: number): number {
  if (!Number.isFinite(held)) return held;
  for (let digits = 1; digits < 9; digits += 1) {
    const short = Number(held.toPrecision(digits));
    if (Math.fround(short) === held) return short;
  }
  return Number(held.toPrecision(9));
}

/** Precision and scale of `numeric(12,2)`, or the length of `varchar(20)`; infinite where not said. */
function sizesOf({ declared }: Column): readonly [number, number] {
  const [, first, second] = /\((\d+)(?:,(\d+))?\)/.exec(declared) ?? [];
  if (first === undefined) return [Infinity, Infinity];
  return [Number(first), Number(second ?? 0)];
}

function decimal(column: Column): string {
  const [precision, scale] = sizesOf(column);
  if (precision === Infinity) return '12345678901234567890.0123456789';
  const left = '9'.repeat(precision - scale) || '0';
  return scale === 0 ? left : `${left}.${'9'.repeat(scale)}`;
}

/** As PostgreSQL rounds: half away from zero; with as many digits as the scale says. */
function rounded(value: string, [precision, scale]: readonly [number, number]): string | undefined {
  // A declared precision has room for no number that has no end.
  if (value === 'NaN' || (precision === Infinity && /^-?Infinity$/.test(value))) return value;
  const parts = /^\s*([+-]?)(\d*)(?:\.(\d*))?\s*$/.exec(withoutExponent(value));
  if (parts === null || `${parts[2]}${parts[3] ?? ''}` === '') return undefined;
  const [, sign = '', left = '', right = ''] = parts;
  const places = scale === Infinity ? right.length : scale;
  const digits = BigInt(`${left}${right.slice(0, places).padEnd(places, '0')}` || '0');
  const up = Number(right[places] ?? '0') >= 5 ? 1n : 0n;
  const text = String(digits + up).padStart(places + 1, '0');
  const [before, after] = [text.slice(0, text.length - places), text.slice(text.length - places)];
  if (before.replace(/^0+/, '').length > precision - (scale === Infinity ? 0 : scale)) {
    return undefined;
  }
  const negative = sign === '-' && digits + up !== 0n ? '-' : '';
  return `${negative}${before}${places > 0 ? `.${after}` : ''}`;
}

/** `1.5e3` as 1500. */
function withoutExponent(value: string): string {
  const parts = /^\s*([+-]?)(\d+)(?:\.(\d*))?e([+-]?\d{1,3})\s*$/i.exec(value);
  if (parts === null) return value;
  const [, sign = '', left = '', right = '', exponent = '0'] = parts;
  const point = left.length + Number(exponent);
  const digits = `${left}${right}`
    .padEnd(point, '0')
    .padStart(digitsBefore(point, left, right), '0');
  const at = Math.max(point, 0);
  return `${sign}${digits.slice(0, at)}.${digits.slice(at)}`;
}

function digitsBefore(point: number, left: string, right: string): number {
  return left.length + right.length + Math.max(-point, 0);
}

/** A fraction of a second that fills the column's precision, as images have it. */
function fraction({ declared }: Column): string {
  const precision = Number(/\((\d)\)/.exec(declared)?.[1] ?? 6);
  return '123456'.slice(0, precision).padEnd(precision > 3 ? 6 : 3, '0');
}

/** Times without a place in the form that images have: they stay as PostgreSQL writes them. */
const FAR = /^-?infinity$|^\d{5,6}-\d\d-\d\d |^\d{4,}-\d\d-\d\d .+ BC$/;
const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00)?$/;

function time(value: string, places: number): string | undefined {
  const [, day, clock, digits = ''] = TIME.exec(value) ?? [];
  const at = Date.parse(`${day}T${clock}Z`);
  // Date.parse takes the 30th of February for the 2nd of March.
  if (day === undefined || Number.isNaN(at) || !new Date(at).toISOString().startsWith(day)) {
    return undefined;
  }
  const kept = digits.padEnd(6, '0').slice(0, places).padEnd(6, '0');
  return `${day} ${clock}.${kept.endsWith('000') ? kept.slice(0, 3) : kept}`;
}

/** In characters as PostgreSQL counts them: code points. */
function lengthOf(value: string): number {
  return Array.from(value).length;
}

function textIn(column: Column, value: string): string | undefined {
  const { type, labels } = column;
  if (value.includes('\0')) return undefined;
  if (labels !== null) return labels.includes(value) ? value : undefined;
  if (type === 'date') return /^\d{4}-\d\d-\d\d$/.test(value) ? value : undefined;
  if (type === 'uuid') return /^[0-9a-f-]{36}$/i.test(value) ? value.toLowerCase() : undefined;
  const [longest] = sizesOf(column);
  if (type === 'bpchar') {
    const kept = value.replace(/ +$/, '');
    return lengthOf(kept) > longest ? undefined : kept;
  }
  return type === 'varchar' && lengthOf(value) > longest ? undefined : value;
}
