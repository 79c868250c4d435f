import { afterAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import * as fc from 'fast-check';
import { inSoak } from '../../../tests/support/index.ts';
import {
  carryValue,
  decimalToMinor,
  enumeration,
  prefixed,
  realOf,
  same,
  sameValue,
  timestamp,
  WholeReal,
} from '../../mapping/index.ts';
import type { Codec, SqlValue } from '../../mapping/index.ts';
import { codecSql, validSql, writtenSql } from './codec-sql.ts';
import type { CodecSql } from './codec-sql.ts';
import { plain } from './values.ts';

const database = new Database(':memory:');
afterAll(() => {
  database.close();
});

/** Evaluates an expression over two columns without affinity, which hold these values. */
function evaluate(sql: string, legacy: SqlValue, extracted: SqlValue): SqlValue {
  const value: unknown = database
    .prepare(`SELECT (${sql}) FROM (SELECT ? AS legacy, ? AS extracted)`)
    .pluck()
    .safeIntegers()
    .get(integer(legacy), integer(extracted));
  return plain(value, true);
}

/** better-sqlite3 binds numbers as REAL unless they are bigints. */
function integer(value: SqlValue): SqlValue {
  if (value instanceof WholeReal) return value.number;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function carried(way: () => SqlValue): { readonly value: SqlValue } | undefined {
  try {
    return { value: way() };
  } catch {
    return undefined;
  }
}

function forward(codec: Codec, legacy: SqlValue): { readonly value: SqlValue } | undefined {
  return legacy === null ? { value: null } : carried(() => carryValue(codec, 'legacy', legacy));
}

function backward(codec: Codec, extracted: SqlValue): { readonly value: SqlValue } | undefined {
  return extracted === null
    ? { value: null }
    : carried(() => carryValue(codec, 'extracted', extracted));
}

function identical(left: SqlValue, right: SqlValue): boolean {
  if (left instanceof WholeReal || right instanceof WholeReal) return sameValue(left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.from(left).equals(Buffer.from(right));
  }
  return Object.is(left, right);
}

const anything = fc.oneof(
  fc.constant(null),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.maxSafeInteger(),
  fc.integer({ min: -2_000, max: 2_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
  fc.integer({ min: -3, max: 3 }).map((number) => realOf(number, true)),
  fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
);
const wholeMs = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 });
const timeText = wholeMs.map((ms) => new Date(ms).toISOString().slice(0, -1).replace('T', ' '));
const oddTime = timeText.map((text) => `${text.slice(0, 5)}02-30${text.slice(10)}`);
const decimal = fc
  .tuple(fc.constantFrom('', '-', '+'), fc.maxSafeInteger(), fc.constantFrom(0, 1, 2, 3))
  .map(([sign, minor, digits]) => `${sign}${(Math.abs(minor) / 100).toFixed(digits)}`);
/** One character is another one, or something comes after it. */
const almost = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc
      .tuple(text, fc.nat(30), fc.constantFrom('0', '1', '9', '-', ':', '.', ' ', 'T', '+', '\0'))
      .map(([right, at, other]) => `${right.slice(0, at)}${other}${right.slice(at + 1)}`),
    text.map((right) => `${right}\0`),
    text.map((right) => `${right}\0junk`),
  );
const code = fc.constantFrom('A', 'C', 'a', 'active', 'committed', '', 'constructor');

const CODECS: readonly (readonly [
  string,
  Codec,
  fc.Arbitrary<SqlValue>,
  fc.Arbitrary<SqlValue>,
])[] = [
  ['same', same('legacy', 'extracted'), anything, anything],
  [
    'enumeration',
    enumeration('legacy', 'extracted', { A: 'active', C: 'committed' }),
    fc.oneof(code, anything),
    fc.oneof(code, anything),
  ],
  [
    'enumeration of numbers',
    enumeration('legacy', 'extracted', { 0: 'no', 1: 'yes' }, { legacyNumbers: true }),
    fc.oneof(fc.constantFrom<SqlValue>(0, 1, '0', '1', 2), anything),
    fc.oneof(fc.constantFrom<SqlValue>('no', 'yes', 'No'), anything),
  ],
  [
    'decimals of two digits',
    decimalToMinor('legacy', 'extracted', 2),
    fc.oneof(
      decimal,
      almost(decimal),
      fc.constantFrom('0.00', '-0.00', '01.00', '1.0', '.10', '1e2', ' 1.00'),
      anything,
    ),
    anything,
  ],
  [
    'decimals without digits',
    decimalToMinor('legacy', 'extracted', 0),
    fc.oneof(decimal, almost(decimal), fc.constantFrom('0', '-0', '01', '1.', '1'), anything),
    anything,
  ],
  [
    'timestamp',
    timestamp('legacy', 'extracted'),
    fc.oneof(
      timeText,
      oddTime,
      almost(timeText),
      almost(oddTime),
      fc.constantFrom('2026-01-31 24:00:00.000', 'now'),
      anything,
    ),
    fc.oneof(wholeMs, anything),
  ],
  [
    'prefixed',
    prefixed('legacy', 'extracted', 'refund:'),
    fc.oneof(fc.string(), anything),
    fc.oneof(
      fc.string().map((text) => `refund:${text}`),
      anything,
    ),
  ],
];

function sqlOf(codec: Codec): CodecSql {
  const sql = codecSql(codec);
  if (!sql) throw new Error('the codec can not be said in SQL');
  return sql;
}

const runs = { numRuns: inSoak(2_000, 500), seed: 7 };

describe.each(CODECS)('%s in SQL', (_name, codec, legacyValues, extractedValues) => {
  const sql = sqlOf(codec);

  it('calls nothing equal that the codec would not', () => {
    const partner = (legacy: SqlValue): fc.Arbitrary<SqlValue> => {
      const image = forward(codec, legacy);
      return image ? fc.oneof(fc.constant(image.value), extractedValues) : extractedValues;
    };
    const rows = legacyValues.chain((legacy) => fc.tuple(fc.constant(legacy), partner(legacy)));
    fc.assert(
      fc.property(rows, ([legacy, extracted]) => {
        if (evaluate(sql.same('legacy', 'extracted'), legacy, extracted) !== 1) return;
        const image = forward(codec, legacy);
        expect(image && identical(image.value, extracted)).toBe(true);
      }),
      runs,
    );
  });

  it('writes forward what the codec would, where it calls that valid', () => {
    const valid = validSql(codec, sql, 'legacy', 'legacy').join(' AND ') || 'true';
    fc.assert(
      fc.property(legacyValues, (legacy) => {
        if (evaluate(valid, legacy, null) !== 1) return;
        const written = evaluate(writtenSql(sql, 'legacy', 'legacy'), legacy, null);
        const image = forward(codec, legacy);
        expect(image && identical(image.value, written)).toBe(true);
      }),
      runs,
    );
  });

  it('writes backward what the codec would, where it calls that valid', () => {
    const valid = validSql(codec, sql, 'extracted', 'extracted').join(' AND ') || 'true';
    fc.assert(
      fc.property(extractedValues, (extracted) => {
        if (evaluate(valid, null, extracted) !== 1) return;
        const written = evaluate(writtenSql(sql, 'extracted', 'extracted'), null, extracted);
        const image = backward(codec, extracted);
        expect(image && identical(image.value, written)).toBe(true);
      }),
      runs,
    );
  });
});
