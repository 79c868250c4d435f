import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  cascade,
  checkMapping,
  constant,
  copyOf,
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  MappingError,
  prefixed,
  same,
  timestamp,
} from './index.ts';
import type { Codec, Pair, SqlValue } from './index.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const codes = (pairs: readonly Pair[]): string[] =>
  checkMapping(defineMapping({ capability: 'shop', pairs })).map(({ code }) => code);

function pair(over: Partial<Pair> = {}): Pair {
  return {
    name: 'thing',
    legacy: { table: 'THING' },
    extracted: { table: 'things' },
    key: [same('ID', 'id')],
    columns: [same('NM', 'name')],
    ...over,
  };
}

function there(codec: Codec, value: string): SqlValue {
  return codec.backward(codec.forward(value));
}

function hash(over: Partial<Pair>): string {
  return defineMapping({ capability: 'shop', pairs: [pair(over)] }).hash;
}

describe('a codec', () => {
  it('brings money in decimal text to minor units and back', () => {
    const money = decimalToMinor('AMT', 'amount', 2);
    expect(money.forward('12.34')).toBe(1234);
    expect(money.forward('-0.05')).toBe(-5);
    expect(money.backward(-5)).toBe('-0.05');
    expect(money.forward('90071992547409.91')).toBe(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(fc.maxSafeInteger(), (minor) => money.forward(money.backward(minor)) === minor),
    );
  });

  it.each(['12.3', '012.34', '12', '+1.00', '-0.00', '1e2', '', ' 1.00', '90071992547409.92', 12])(
    'refuses %p as money, since it would not come back the same',
    (value) => {
      expect(() => decimalToMinor('AMT', 'amount', 2).forward(value)).toThrow(MappingError);
    },
  );

  it('brings times there and back, and refuses days that do not exist', () => {
    const time = timestamp('TS', 'at');
    expect(time.forward('1970-01-01 00:00:01.005')).toBe(1005);
    expect(there(time, '2024-02-29 23:59:59.999')).toBe('2024-02-29 23:59:59.999');
    expect(() => time.forward('2026-02-30 00:00:00.000')).toThrow(MappingError);
    expect(() => time.forward('2026-02-03T00:00:00.000Z')).toThrow(MappingError);
    expect(() => time.backward(1.5)).toThrow(MappingError);
    expect(() => time.backward(9e15)).toThrow(MappingError);
  });

  it('names the column and the value it does not know', () => {
    const status = enumeration('STAT', 'status', { A: 'active', R: 'released' });
    expect(there(status, 'A')).toBe('A');
    expect(() => status.forward('X')).toThrow("STAT: 'X' is none of A, R");
    expect(() => status.backward('gone')).toThrow("status: 'gone' is none of active, released");
  });

  it('tells a prefixed key from others', () => {
    const key = prefixed('NO', 'entry', 'refund:');
    expect(key.forward('7')).toBe('refund:7');
    expect(key.backward('refund:')).toBe('');
    expect(() => key.backward('settlement')).toThrow(MappingError);
  });
});

describe('checkMapping', () => {
  it('accepts splits, joins, filters and entries in one table', () => {
    expect(checkMapping(shop)).toEqual([]);
  });

  it('refuses what has no way back, by name', () => {
    expect(codes([pair({ columns: [enumeration('S', 's', { A: 'x', B: 'x' })] })])).toEqual([
      'not_injective',
    ]);
    expect(codes([pair({ columns: [same('A', 'a'), same('B', 'a')] })])).toContain(
      'duplicate_column',
    );
    expect(codes([pair({ key: [timestamp('ID', 'id')] })])).toEqual(['key_order']);
    expect(codes([pair({ key: [constant('legacy', 'ID', 'x')] })])).toEqual(['no_key']);
    expect(codes([pair({ key: [derived('legacy', same('ID', 'id'), 'a test')] })])).toEqual([
      'derived_key',
    ]);
    expect(codes([pair({ legacy: { table: 'THING', where: { X: ['a'] } } })])).toEqual([
      'filter_not_carried',
    ]);
  });

  it('refuses filters whose rows the codecs cannot carry', () => {
    const status = enumeration('S', 's', { A: 'active' });
    const legacy = { table: 'THING', where: { S: ['A', 'Z'] } };
    expect(codes([pair({ legacy, columns: [status] })])).toEqual(['filter_not_mapped']);
    const kind = constant('extracted', 'kind', 'x');
    const extracted = { table: 'things', where: { kind: ['y'] } };
    expect(codes([pair({ extracted, columns: [kind] })])).toEqual(['filter_against_constant']);
  });

  it('refuses two remedies for one foreign key', () => {
    const [first, second] = [cascade, 'a reason'].map((remedy, index) =>
      pair({
        name: `part ${index}`,
        legacy: {
          table: 'THING',
          references: { 'CHILD(ID)': remedy },
          ...(index === 0 ? {} : { resetTo: { X: '' } }),
        },
        extracted: { table: `part_${index}` },
        columns: index === 0 ? [same('NM', 'name')] : [same('X', 'x')],
      }),
    ) as [Pair, Pair];
    expect(codes([first, second])).toEqual(['two_remedies']);
    expect(codes([first])).toEqual([]);
  });

  it('refuses two writers of one row or one column', () => {
    expect(codes([pair(), pair({ name: 'again', columns: [same('X', 'x')] })])).toEqual([
      'two_base_pairs',
      'two_base_pairs',
    ]);
    const columnPair = pair({
      name: 'column pair',
      legacy: { table: 'THING', resetTo: { NM: '' } },
      extracted: { table: 'others' },
    });
    expect(codes([pair(), columnPair])).toEqual(['duplicate_column']);
    expect(codes([columnPair])).toEqual(['no_base_pair', 'column_pair_key']);
    expect(codes([pair(), pair()])).toContain('duplicate_pair');
  });

  it('refuses a reset that is incomplete, foreign, or keeps the row in the filter', () => {
    const columnPair = (resetTo: Record<string, string>): Pair =>
      pair({
        name: 'column pair',
        legacy: { table: 'THING', where: { ST: ['S'] }, resetTo },
        extracted: { table: 'others' },
        columns: [same('ST', 'state')],
      });
    expect(codes([pair(), columnPair({})])).toEqual(['no_reset']);
    expect(codes([pair(), columnPair({ ST: 'S' })])).toEqual(['reset_stays']);
    expect(codes([pair(), columnPair({ ST: 'P', ID: '' })])).toEqual(['foreign_reset']);
    expect(codes([pair(), columnPair({ ST: 'P' })])).toEqual([]);
  });
});

describe("a mapping's hash", () => {
  it('changes with anything that matters, and with nothing else', () => {
    expect(hash({})).toBe(hash({}));
    const others = [
      { columns: [decimalToMinor('NM', 'name', 2)] },
      { columns: [decimalToMinor('NM', 'name', 3)] },
      { columns: [derived('extracted', same('NM', 'name'), 'a test')] },
      { legacy: { table: 'THING', where: { NM: ['a'] } } },
      { legacy: { table: 'THING', resetTo: { NM: copyOf('ID') } } },
    ].map(hash);
    expect(new Set([hash({}), ...others]).size).toBe(others.length + 1);
  });
});
