import * as fc from 'fast-check';
import {
  decimalToMinor,
  enumeration,
  MappingError,
  rename,
  same,
  secret,
  timestamp,
  transform,
} from '../../../../strangler/mapping/index.ts';
import type { Codec, SqlValue } from '../../../../strangler/mapping/index.ts';
import type { Dialect } from '../../../../chassis/index.ts';
import type { SideName } from '../../../../routing/side.ts';

/** A value as the business means it, before either side writes it down; null where there is none. */
export type Value = null | string | number | bigint | boolean | Buffer;

/** How one side writes a value down, worked out without the mapping. */
interface Written {
  /** The column's type, as each dialect calls it. */
  readonly type: Readonly<Record<Dialect, string>>;
  write(value: Exclude<Value, null>): SqlValue;
}

/** One thing that is known of something: its values, and what each side makes of them. */
export interface FacetKind {
  readonly values: fc.Arbitrary<Exclude<Value, null>>;
  readonly legacy: Written;
  readonly extracted: Written;
  codec(legacy: string, extracted: string): Codec;
  /** What the legacy column holds where nothing is known; absent where only NULL can say that. */
  readonly fallback?: string | number;
}

/** A facet of certain things: its columns' names, and whether it may be unknown. */
export interface Facet {
  readonly kind: FacetKind;
  readonly names: Readonly<Record<SideName, string>>;
  readonly nullable: boolean;
}

/** A value as a side writes it. */
export function written({ kind }: Facet, side: SideName, value: Value): SqlValue {
  return value === null ? null : kind[side].write(value);
}

export function codecOf({ kind, names }: Facet): Codec {
  return kind.codec(names.legacy, names.extracted);
}

/** Any value of the facet. */
export function valueOf({ kind, nullable }: Facet): fc.Arbitrary<Value> {
  return nullable ? fc.option(kind.values, { nil: null, freq: 4 }) : kind.values;
}

const TYPES: Readonly<Record<string, string>> = {
  TEXT: 'text',
  INTEGER: 'bigint',
  REAL: 'double precision',
  BLOB: 'bytea',
};

/** @param postgres what PostgreSQL has for such values, where that is more than a copy */
function types(sqlite: string, postgres = TYPES[sqlite] ?? 'text'): Written['type'] {
  return { sqlite, postgres };
}

const plain = (type: string): Written => ({
  type: types(type),
  write: (value) => (typeof value === 'boolean' ? null : value),
});
const asIs = (
  type: string,
  values: FacetKind['values'],
  fallback?: string | number,
): FacetKind => ({
  values,
  legacy: plain(type),
  extracted: plain(type),
  codec: rename,
  ...(fallback === undefined ? {} : { fallback }),
});

const text = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('', ' ', "it's", '"', '%_', '\u{1F600}', 'NULL', '0'),
);
const whole = fc.oneof(
  fc.integer().map(BigInt),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n)),
);
const bytes = fc.uint8Array({ maxLength: 5 }).map((array) => Buffer.from(array));
const zoned = fc.constantFrom(
  '2026-03-29T01:59:59+01:00',
  '2026-03-29T03:00:00+02:00',
  '2026-03-29T01:00:00Z',
  '2026-03-28T20:00:00.000000-05:00',
);

function codes(table: Readonly<Record<string, string | number>>, legacyNumbers = false): FacetKind {
  const pairs = Object.entries(table);
  const number = (value: string | number): SqlValue =>
    typeof value === 'number' ? BigInt(value) : value;
  const first = pairs[0]?.[0] ?? '';
  const numbers = pairs.every(([, right]) => typeof right === 'number');
  return {
    values: fc.constantFrom(...pairs.map(([left]) => left)),
    legacy: {
      type: types(legacyNumbers ? 'INTEGER' : 'TEXT'),
      write: (value) => (legacyNumbers ? BigInt(String(value)) : String(value)),
    },
    extracted: {
      type: numbers
        ? types(
            'INTEGER',
            pairs.every(([, right]) => right === 0 || right === 1) ? 'boolean' : 'smallint',
          )
        : types('TEXT'),
      write: (value) => number(table[String(value)] ?? ''),
    },
    codec: (legacy, extracted) => enumeration(legacy, extracted, table, { legacyNumbers }),
    fallback: legacyNumbers ? Number(first) : first,
  };
}

function money(digits: number): FacetKind {
  return {
    values: fc.maxSafeInteger(),
    legacy: {
      type: types('TEXT', `numeric(20,${digits})`),
      write(value) {
        const figures = String(Math.abs(Number(value))).padStart(digits + 1, '0');
        const point = figures.length - digits;
        const fraction = digits === 0 ? '' : `.${figures.slice(point)}`;
        return `${Number(value) < 0 ? '-' : ''}${figures.slice(0, point)}${fraction}`;
      },
    },
    extracted: { type: types('INTEGER'), write: (value) => BigInt(Number(value)) },
    codec: (legacy, extracted) => decimalToMinor(legacy, extracted, digits),
    fallback: digits === 0 ? '0' : `0.${'0'.repeat(digits)}`,
  };
}

const time: FacetKind = {
  values: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  legacy: {
    type: types('TEXT', 'timestamp(3)'),
    write: (value) => new Date(Number(value)).toISOString().replace('T', ' ').replace('Z', ''),
  },
  extracted: { type: types('INTEGER'), write: (value) => BigInt(Number(value)) },
  codec: timestamp,
  fallback: '1970-01-01 00:00:00.000',
};

function wholeNumber(value: SqlValue): number {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new MappingError('not a whole number');
}

/** A way of somebody's own: seconds on one side, milliseconds on the other. */
const seconds: FacetKind = {
  values: fc.integer({ min: 0, max: 2_000_000_000 }),
  legacy: { type: types('INTEGER'), write: (value) => BigInt(Number(value)) },
  extracted: { type: types('INTEGER'), write: (value) => BigInt(Number(value) * 1000) },
  codec: (legacy, extracted) =>
    transform(legacy, extracted, {
      name: 'seconds',
      forward: (value) => wholeNumber(wholeNumber(value) * 1000),
      backward: (value) => wholeNumber(wholeNumber(value) / 1000),
    }),
  fallback: 0,
};

const anything = fc.oneof(
  text,
  whole,
  bytes,
  // SQLite says 5 = 5.0, and a column without affinity keeps either.
  fc.double({ noNaN: true }).filter((value) => !Number.isInteger(value)),
);

export const TIME = time;
export const MONEY = money(2);

export interface Kinds {
  /** Facets that a part of something may have, which comes and goes by itself. */
  readonly part: readonly FacetKind[];
  /** Facets that a thing may have. */
  readonly whole: readonly FacetKind[];
}

/** @param texts what text there may be; PostgreSQL has none with a NUL */
function kindsWith(texts: typeof text, more: readonly FacetKind[]): Kinds {
  const part = [
    asIs('TEXT', texts, ''),
    asIs('INTEGER', whole, 0),
    codes({ A: 'active', C: 'closed', '': 'none' }),
    codes({ 0: 'new', 1: 'paid', 9: 'gone' }, true),
    codes({ Y: 1, N: 0 }),
    codes({ L: 5, R: 7 }),
    money(0),
    money(2),
    money(3),
    time,
    seconds,
  ];
  const hidden = { ...asIs('TEXT', texts), codec: hide };
  const own = [
    asIs('REAL', fc.double({ noNaN: true })),
    asIs('BLOB', bytes),
    asIs('TEXT', zoned),
    hidden,
    ...more,
  ];
  return { part, whole: [...part, ...own] };
}

const hide: FacetKind['codec'] = (legacy, extracted) => secret(same(legacy, extracted));

/** What a world may consist of whose sides are both SQLite, or not. */
export const KINDS: Readonly<Record<'sqlite' | 'any', Kinds>> = {
  sqlite: kindsWith(text, [asIs('', anything)]),
  any: kindsWith(
    text.map((value) => value.replaceAll('\0', '')),
    [],
  ),
};

/** Facets that tell things apart; few values, so that histories meet. */
export const KEY_KINDS: readonly [FacetKind, FacetKind] = [
  asIs('TEXT', fc.constantFrom('a', 'b', 'c', '', "q'%_", '\u{FFFD}é', '\u{1F600}"')),
  asIs('INTEGER', fc.constantFrom(-1n, 0n, 1n, 2n, 2n ** 53n + 1n, 2n ** 62n)),
];

/** Such as a slug: few values, one thing each. */
export const UNIQUE_KIND = asIs('TEXT', fc.constantFrom('s1', 's2', 's3'));
