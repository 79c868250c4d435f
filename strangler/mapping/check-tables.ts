import type { MappingProblem } from './problem.ts';
import { disjoint } from './disjoint.ts';
import { columnOn, isColumnPair, writes } from './mapping.ts';
import type { BorderRemedy, Mapping, Pair } from './mapping.ts';
import type { SideName } from '../../routing/side.ts';

/** All pairs of one table: each column has one writer, each row one base pair. */
export function checkTable(mapping: Mapping, side: SideName, table: string): MappingProblem[] {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const basePairs = pairs.filter((pair) => !isColumnPair(pair, side));
  const problems: MappingProblem[] = [];
  if (basePairs.length === 0) {
    problems.push({
      code: 'no_base_pair',
      pair: null,
      message: `${side} table ${table}: all its pairs have resetTo, so none gives its rows life`,
    });
  }
  for (const [index, basePair] of basePairs.entries()) {
    for (const other of basePairs.slice(index + 1)) {
      if (disjoint(basePair, other, side)) continue;
      problems.push({
        code: 'two_base_pairs',
        pair: other.name,
        message:
          `${side} table ${table}: pairs "${basePair.name}" and "${other.name}" both claim its rows; ` +
          'give one of them resetTo, or keys that tell their rows apart',
      });
    }
  }
  return [
    ...problems,
    ...checkColumnPairs(pairs, side, table),
    ...checkWriters(pairs, side, table),
    ...checkRemedies(pairs, side, table),
  ];
}

/** Reasons may differ in their words. */
function kindOf(remedy: BorderRemedy | undefined): string {
  return typeof remedy === 'object' ? Object.keys(remedy).join() : typeof remedy;
}

/** A foreign key belongs to the table, not to one of its pairs. */
function checkRemedies(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const problems: MappingProblem[] = [];
  const known = new Map<string, Pair>();
  for (const pair of pairs) {
    for (const [named, remedy] of Object.entries(pair[side].references ?? {})) {
      const first = known.get(named) ?? pair;
      known.set(named, first);
      if (kindOf(first[side].references?.[named]) === kindOf(remedy)) continue;
      problems.push({
        code: 'two_remedies',
        pair: pair.name,
        message:
          `${side} table ${table}: pairs "${first.name}" and "${pair.name}" declare different remedies ` +
          `for '${named}'; name it in one of them`,
      });
    }
  }
  return problems;
}

/** A column pair finds its row by the base pair's key. */
function checkColumnPairs(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const keyOf = (pair: Pair): string =>
    pair.key
      .map((codec) => columnOn(codec, side))
      .filter((column) => column !== null)
      .sort()
      .join(', ');
  return pairs
    .filter((pair) => isColumnPair(pair, side))
    .filter(
      (columnPair) =>
        !pairs.some((pair) => !isColumnPair(pair, side) && keyOf(pair) === keyOf(columnPair)),
    )
    .map((columnPair) => ({
      code: 'column_pair_key',
      pair: columnPair.name,
      message: `${side} table ${table}: column pair "${columnPair.name}" needs the key of a base pair`,
    }));
}

function checkWriters(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const problems: MappingProblem[] = [];
  for (const [index, pair] of pairs.entries()) {
    for (const other of pairs.slice(index + 1)) {
      if (disjoint(pair, other, side)) continue;
      const own = new Set(
        pair.columns.filter((c) => writes(c, side)).map((c) => columnOn(c, side)),
      );
      for (const codec of other.columns.filter((candidate) => writes(candidate, side))) {
        const column = columnOn(codec, side);
        if (!own.has(column)) continue;
        problems.push({
          code: 'duplicate_column',
          pair: other.name,
          message:
            `${side} column ${table}.${column ?? ''} is written by pairs "${pair.name}" and ` +
            `"${other.name}"; let one carry it and declare the other derived()`,
        });
      }
    }
  }
  return problems;
}
