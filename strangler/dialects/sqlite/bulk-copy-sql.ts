import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { columnOn, isColumnPair, keyColumns, keyNames, writes } from '../../mapping/index.ts';
import type { Codec, Mapping, Pair, SqlValue } from '../../mapping/index.ts';
import { codecSql, validSql, writtenSql } from './codec-sql.ts';
import type { CodecSql } from './codec-sql.ts';
import { filterSql, literal } from './filter-sql.ts';
import { chained, name } from './values.ts';
import { isUnique } from './write-sql.ts';

/** The name under which a bulk copy's connection knows the owner's database. */
export const SOURCE = 'fig_source';

/** A range of keys: after the first and up to the second, where there are such. */
export interface Ends {
  readonly after: boolean;
  readonly upto: boolean;
}

/** Statements that handle a whole range of one pair's rows; parameters are the range's keys. */
export interface PairBulkCopySql {
  /** The key of the last row among some after a key; parameters: the key, and how many less one. */
  last(after: boolean): string;
  countSource(ends: Ends): string;
  countTarget(ends: Ends): string;
  /** How many rows of the source have a partner that is what the mapping makes of them. */
  countEqual(ends: Ends): string;
  /**
   * Copies the source's rows, those left out that can't be carried; undefined where that takes more
   * than writing rows of one table.
   */
  readonly copy: ((ends: Ends) => string) | undefined;
}

/** What the table that is written to is like. */
export interface TargetTable {
  readonly unique: readonly (readonly string[])[];
  /** Columns whose types leave numbers as they are. */
  readonly free: ReadonlySet<string>;
}

/** A pair in SQL; undefined when one of its codecs can't be said in SQL. */
export function pairBulkCopySql(
  mapping: Mapping,
  pair: Pair,
  owner: SideName,
  written: TargetTable,
): PairBulkCopySql | undefined {
  const to = otherSide(owner);
  const equal = equalSql(pair, owner);
  if (equal === undefined) return undefined;
  const source = `(SELECT * FROM ${SOURCE}.${name(pair[owner].table)} WHERE ${filterSql(pair, owner)}) s`;
  const target = `(SELECT * FROM main.${name(pair[to].table)} WHERE ${filterSql(pair, to)}) t`;
  const keys = keyColumns(pair, owner).map((column) => `s.${name(column)}`);
  return {
    last: (after) =>
      `SELECT ${keys.join(', ')} FROM ${source} WHERE ${rangeSql(pair, owner, 's', { after, upto: false })}
       ORDER BY ${keys.join(', ')} LIMIT 1 OFFSET ?`,
    countSource: (ends) =>
      `SELECT count(*) FROM ${source} WHERE ${rangeSql(pair, owner, 's', ends)}`,
    countTarget: (ends) => `SELECT count(*) FROM ${target} WHERE ${rangeSql(pair, to, 't', ends)}`,
    countEqual: (ends) =>
      `SELECT count(*) FROM ${source} CROSS JOIN ${target}
       WHERE ${rangeSql(pair, owner, 's', ends)} AND ${partnersSql(pair, owner)} AND ${equal}`,
    copy: copySql(mapping, pair, owner, source, written),
  };
}

function rangeSql(pair: Pair, side: SideName, alias: string, { after, upto }: Ends): string {
  const keys = keyColumns(pair, side).map((column) => `${alias}.${name(column)}`);
  const [list, values] = [keys.join(', '), keys.map(() => '?').join(', ')];
  const parts = [
    ...(after ? [`(${list}) > (${values})`] : []),
    ...(upto ? [`(${list}) <= (${values})`] : []),
  ];
  return parts.length > 0 ? parts.join(' AND ') : 'true';
}

/** A column of the source, and the codec's way to the other side. */
function valueSql(codec: Codec, sql: CodecSql | undefined, from: SideName): string | undefined {
  if (codec.constant !== undefined) return literal(codec.constant);
  const column = columnOn(codec, from);
  return sql && column !== null ? writtenSql(sql, from, `s.${name(column)}`) : undefined;
}

/** Finds a row's partner by its key, in a way that an index of the target serves. */
function partnersSql(pair: Pair, from: SideName): string {
  const to = otherSide(from);
  const parts = pair.key.flatMap((codec) => {
    const [here, there] = [columnOn(codec, from), columnOn(codec, to)];
    if (codec.constant !== undefined || here === null || there === null) return [];
    const sql = codecSql(codec);
    const value = sql && (from === 'legacy' ? sql.forward : sql.backward)(`s.${name(here)}`);
    return value === undefined ? ['false'] : [`t.${name(there)} = ${value}`];
  });
  return chained(parts, ' AND ');
}

function equalSql(pair: Pair, from: SideName): string | undefined {
  const to = otherSide(from);
  const parts: string[] = [];
  for (const codec of [...pair.key, ...pair.columns]) {
    const there = columnOn(codec, to);
    if (there === null || !(pair.key.includes(codec) || writes(codec, to))) continue;
    const target = `t.${name(there)}`;
    if (codec.constant !== undefined) {
      parts.push(constantSql(target, codec.constant));
      continue;
    }
    const sql = codecSql(codec);
    const here = columnOn(codec, from);
    if (sql === undefined || here === null) return undefined;
    const source = `s.${name(here)}`;
    parts.push(`(${from === 'legacy' ? sql.same(source, target) : sql.same(target, source)})`);
  }
  return chained(parts, ' AND ');
}

/** A real number is a matter for whoever knows whether the column's type makes all of them real. */
function constantSql(target: string, constant: SqlValue): string {
  const equal = `+${target} IS ${literal(constant)} COLLATE BINARY`;
  return Number.isInteger(constant) ? `${equal} AND typeof(${target}) = 'integer'` : equal;
}

function copySql(
  mapping: Mapping,
  pair: Pair,
  from: SideName,
  source: string,
  { unique, free }: TargetTable,
): ((ends: Ends) => string) | undefined {
  const to = otherSide(from);
  const { table, where } = pair[to];
  // Column pairs write into rows of another pair, and rows with column pairs are made of both.
  const columnPairs = mapping.pairs.some(
    (other) => other[to].table === table && isColumnPair(other, to),
  );
  if (columnPairs || where !== undefined) return undefined;
  const values = new Map<string, string>();
  const valid: string[] = [];
  for (const codec of [...pair.key, ...pair.columns]) {
    const column = columnOn(codec, to);
    if (column === null || !(pair.key.includes(codec) || writes(codec, to))) continue;
    const sql = codecSql(codec);
    const value = valueSql(codec, sql, from);
    if (value === undefined) return undefined;
    values.set(column, value);
    const own = columnOn(codec, from);
    if (sql && own !== null) valid.push(...validSql(codec, sql, from, `s.${name(own)}`));
  }
  const key = keyNames(pair, to);
  // SQLite finds 3.0 by 3: where a key may be either, it is written as well.
  const rest = [...values.keys()].filter((column) => !key.includes(column) || free.has(column));
  const set = rest.map((column) => `${name(column)} = excluded.${name(column)}`);
  const conflict = `ON CONFLICT (${key.map((column) => name(column)).join(', ')}) DO `;
  // A pair that is only a key has nothing to set, but must still be counted.
  const [first = ''] = key;
  const whenThere = `UPDATE SET ${set.length > 0 ? set.join(', ') : `${name(first)} = ${name(first)}`}`;
  return (ends) =>
    `INSERT INTO main.${name(table)} (${[...values.keys()].map((c) => name(c)).join(', ')})
     SELECT ${[...values.values()].join(', ')} FROM ${source}
     WHERE ${chained([rangeSql(pair, from, 's', ends), ...valid], ' AND ')} ${isUnique(unique, key) ? conflict + whenThere : ''}`;
}
