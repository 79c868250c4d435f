import {
  columnOn,
  disjoint,
  HIDDEN,
  isColumnPair,
  sameValue,
  shown,
  writes,
} from '../mapping/index.ts';
import type { Codec, Mapping, Pair, SqlValue } from '../mapping/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { tryPart } from './findings.ts';
import type { Findings } from './findings.ts';
import { tripsOf } from './trip.ts';
import type { Inspectors } from './trip.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/** What declared types and constraints say: values that columns are there for, and that get lost. */
export async function checkTypes(
  mapping: Mapping,
  inspectors: Inspectors,
  findings: Findings,
): Promise<void> {
  for (const pair of mapping.pairs) {
    for (const from of SIDES) {
      const { table } = pair[from];
      for (const codec of [...pair.key, ...pair.columns]) {
        await tryPart(findings, from, `${table}.${columnOn(codec, from) ?? ''}`, () =>
          checkCodec(mapping, inspectors, findings, { pair, codec, from }),
        );
      }
      await tryPart(findings, from, table, async () => {
        await checkUnique(mapping, inspectors, findings, pair, from);
        checkEquality(inspectors, findings, pair, from);
        checkLateKeys(inspectors, findings, pair, from);
      });
    }
  }
}

async function checkCodec(
  mapping: Mapping,
  inspectors: Inspectors,
  findings: Findings,
  { pair, codec, from }: { pair: Pair; codec: Codec; from: SideName },
): Promise<void> {
  const column = columnOn(codec, from);
  if (column === null || codec.constant !== undefined) return;
  const { table, where = {} } = pair[from];
  const listed = where[column] ?? inspectors[from].listed(table, column);
  const values = listed ?? (await probesOf(inspectors, from, table, column));
  const failures = await tripsOf(inspectors, pair, codec, from, values);
  for (const [index, failure] of failures.entries()) {
    if (failure === null) continue;
    const value = values[index] ?? null;
    const there = columnOn(codec, otherSide(from));
    if (
      failure.code === 'does_not_fit' &&
      listed === null &&
      there !== null &&
      inspectors[otherSide(from)].isFormed(pair[otherSide(from)].table, there)
    ) {
      continue;
    }
    // That a codec refuses a value out loud is only wrong where the column is there for the value.
    const unheard = failure.code === 'no_way';
    if (unheard && (listed === null || isTaken(mapping, from, table, column, value))) continue;
    findings.add({
      code: unheard ? 'not_total' : failure.code,
      pair: pair.name,
      side: from,
      column: failure.column,
      counterexample: failure.value,
      message: failure.message,
    });
  }
}

/** Values that the column is declared for, in the form in which it holds them. */
async function probesOf(
  inspectors: Inspectors,
  from: SideName,
  table: string,
  column: string,
): Promise<readonly SqlValue[]> {
  const inspector = inspectors[from];
  const held = await inspector.stored(table, column, inspector.probes(table, column));
  return held.flatMap((step) => (step.ok ? [step.value] : []));
}

/** Whether any pair of the table carries the value: its rows may be shared out by their keys. */
function isTaken(
  { pairs }: Mapping,
  from: SideName,
  table: string,
  column: string,
  value: SqlValue,
): boolean {
  const codecs = pairs
    .filter((pair) => pair[from].table === table)
    .flatMap(({ key, columns }) => [...key, ...columns])
    .filter((codec) => columnOn(codec, from) === column);
  return codecs.some((codec) => {
    if (codec.constant !== undefined) return sameValue(codec.constant, value);
    try {
      if (from === 'legacy') codec.forward(value);
      else codec.backward(value);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * A unique index of one side that the other side's rows break: they would be refused there.
 * Measured, since rules that no index knows may keep the values apart.
 */
async function checkUnique(
  mapping: Mapping,
  inspectors: Inspectors,
  findings: Findings,
  pair: Pair,
  from: SideName,
): Promise<void> {
  const to = otherSide(from);
  const { table } = pair[to];
  const alone = mapping.pairs.every(
    (other) =>
      other === pair ||
      other[to].table !== table ||
      isColumnPair(other, to) ||
      disjoint(pair, other, to),
  );
  if (isColumnPair(pair, to) || !alone) return;
  for (const unique of inspectors[to].uniqueColumns(table)) {
    const codecs = unique.map((column) =>
      [...pair.key, ...pair.columns].find(
        (codec) => columnOn(codec, to) === column && writes(codec, to),
      ),
    );
    if (codecs.includes(undefined)) continue;
    const own = (codecs as Codec[])
      .filter(({ constant }) => constant === undefined)
      .map((codec) => columnOn(codec, from))
      .filter((column) => column !== null);
    if (own.length === 0) continue;
    const twice = await inspectors[from].duplicate(pair, own);
    if (twice === undefined) continue;
    const hidden = (codecs as Codec[]).some(({ secret }) => secret);
    const values = Object.values(twice).map((value) => (hidden ? HIDDEN : shown(value)));
    findings.add({
      code: 'not_unique_here',
      pair: pair.name,
      side: from,
      column: `${pair[from].table}.${own.join(', ')}`,
      counterexample: values.join(', '),
      message:
        `${from} ${pair[from].table} holds (${own.join(', ')}) = (${values.join(', ')}) twice, but ` +
        `${table}.(${unique.join(', ')}) is unique`,
    });
  }
}

/**
 * A unique index of one side that takes values for equal which the other side tells apart: of two rows
 * there, one would have to go here, and no row of today shows it.
 */
function checkEquality(
  inspectors: Inspectors,
  findings: Findings,
  pair: Pair,
  from: SideName,
): void {
  const to = otherSide(from);
  const [{ table }, own] = [pair[to], pair[from]];
  for (const unique of inspectors[to].foldedColumns(table)) {
    const columns = unique.map((column) => {
      const codec = [...pair.key, ...pair.columns].find((one) => columnOn(one, to) === column);
      return codec && columnOn(codec, from);
    });
    if (columns.includes(undefined)) continue;
    const wanted = columns.filter((column) => typeof column === 'string');
    const alike = inspectors[from]
      .foldedColumns(own.table)
      .some((known) => known.length === wanted.length && known.every((c) => wanted.includes(c)));
    if (alike) continue;
    findings.add({
      code: 'unique_equality',
      pair: pair.name,
      side: to,
      column: `${table}.${unique.join(', ')}`,
      counterexample: `'a' and 'A'`,
      message:
        `${to} ${table}: the unique index on (${unique.join(', ')}) takes values for equal that differ, ` +
        `which ${from} ${own.table} keeps apart; let both sides compare them alike`,
    });
  }
}

/**
 * A unique key that one side asks for at the end, and the other one with each row: values that rotate among
 * rows there pass a state here that is refused, although their end is right.
 */
function checkLateKeys(
  inspectors: Inspectors,
  findings: Findings,
  pair: Pair,
  from: SideName,
): void {
  const to = otherSide(from);
  const [{ table }, own] = [pair[to], pair[from]];
  const all = [...pair.key, ...pair.columns];
  const isLate = (columns: readonly string[]): boolean =>
    inspectors[to].lateColumns(table).some((late) => sameSet(late, columns));
  for (const late of inspectors[from].lateColumns(own.table)) {
    const there = late.map((column) => {
      const codec = all.find((one) => columnOn(one, from) === column);
      return codec && columnOn(codec, to);
    });
    const columns = there.filter((column) => typeof column === 'string');
    // A row with another key is another row, which comes as one.
    const isKey = columns.every((column) => pair.key.some((key) => columnOn(key, to) === column));
    if (columns.length < late.length || isKey || isLate(columns)) continue;
    if (!inspectors[to].uniqueColumns(table).some((unique) => sameSet(unique, columns))) continue;
    findings.add({
      code: 'unique_deferrable',
      pair: pair.name,
      side: to,
      column: `${table}.${columns.join(', ')}`,
      counterexample: `UPDATE ${own.table} SET ${late[0] ?? ''} = ... that gives each row the value of the next`,
      message:
        `${from} ${own.table}: the unique key (${late.join(', ')}) is DEFERRABLE, and that of ${to} ${table} ` +
        `is not: rows that swap values there would be parked here; make both alike`,
    });
  }
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((one) => right.includes(one));
}
