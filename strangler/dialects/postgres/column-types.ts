import type { SqlValue } from '../../mapping/index.ts';
import type { Column } from './schema.ts';

const WHOLE: Readonly<Record<string, readonly [least: bigint, most: bigint]>> = {
  int2: [-(2n ** 15n), 2n ** 15n - 1n],
  int4: [-(2n ** 31n), 2n ** 31n - 1n],
  int8: [-(2n ** 63n), 2n ** 63n - 1n],
  oid: [0n, 2n ** 32n - 1n],
};

const TEXTS: readonly SqlValue[] = ['12.30', '007', ' 5', 'x ', '1e3', 'é', 'é\u{1F600}', ''];
const TEXT_TYPES: ReadonlySet<string> = new Set(['text', 'varchar', 'citext']);

/** For types whose values are written as text: one that another type would hardly hold as it is. */
const WRITTEN: Readonly<Record<string, string>> = {
  date: '2026-02-28',
  time: '23:59:59.123456',
  timetz: '23:59:59.123456+02',
  interval: '1 year 2 mons 3 days 04:05:06.123456',
  json: '{"b": [1, 2.50], "a":1, "a":2}',
  jsonb: '{"b": [1, 2.50], "a":1}',
  tsvector: `'fat':2 'rat':3A`,
  tsquery: `'fat' & 'rat'`,
  uuid: '01890000-0000-7000-8000-000000000001',
  inet: '10.1.2.3/8',
  cidr: '10.0.0.0/8',
  macaddr: '08:00:2b:01:02:03',
  point: '(1.5,2)',
  money: '1.50',
  xml: '<a b="1"/>',
  varbit: '101',
  int4range: '[1,5)',
  daterange: '[2026-01-01,2026-02-01)',
};
/** As elements of an array. */
const ELEMENTS: Readonly<Record<string, string>> = {
  _text: 'a,"b c",NULL',
  _varchar: 'a,"b c",NULL',
};

/** Values such as a column of the type is there for; none for types that only say what they are. */
export function probesOf(column: Column): readonly SqlValue[] {
  const { kind, type } = column;
  const [longest] = sizesOf(column);
  if (kind === 'integer') return [...(WHOLE[type] ?? []).map(plain), 0, 7];
  if (kind === 'boolean') return [0, 1];
  if (kind === 'bytes') return [Buffer.from('00ff', 'hex')];
  if (kind === 'real') return type === 'float4' ? [0.5, 0.1] : [0.1 + 0.2, 0.5, 1e300];
  if (kind === 'time') return [`2026-01-31 09:30:00.${fraction(column)}`];
  if (type === 'bit') return ['1'.repeat(Math.min(longest, 64))];
  if (type === 'numeric') return [decimal(column)];
  if (TEXT_TYPES.has(type)) return TEXTS.filter((value) => lengthOf(String(value)) <= longest);
  if (type.startsWith('_')) return ['{}', `{${ELEMENTS[type] ?? '1,NULL'}}`];
  const written = WRITTEN[type];
  return written === undefined ? [] : [written];
}

function plain(value: bigint): SqlValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
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

/** A fraction of a second that fills the column's precision, as images have it. */
function fraction({ declared }: Column): string {
  const precision = Number(/\((\d)\)/.exec(declared)?.[1] ?? 6);
  return '123456'.slice(0, precision).padEnd(precision > 3 ? 6 : 3, '0');
}

/** In characters as PostgreSQL counts them: code points. */
function lengthOf(value: string): number {
  return Array.from(value).length;
}
