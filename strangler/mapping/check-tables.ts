import type { MappingProblem } from './problem.ts';
import { disjoint } from './disjoint.ts';
import { columnOn, isGuest, writes } from './mapping.ts';
import type { BorderRemedy, Mapping, Pair } from './mapping.ts';
import type { SideName } from '../side.ts';

/** All pairs of one table: each column has one writer, each row one anchor. */
export function checkTable(mapping: Mapping, side: SideName, table: string): MappingProblem[] {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const anchors = pairs.filter((pair) => !isGuest(pair, side));
  const problems: MappingProblem[] = [];
  if (anchors.length === 0) {
    problems.push({
      code: 'no_anchor',
      pair: null,
      message: `${side} table ${table}: all its pairs have whenAbsent, so none gives its rows life`,
    });
  }
  for (const [index, anchor] of anchors.entries()) {
    for (const other of anchors.slice(index + 1)) {
      if (disjoint(anchor, other, side)) continue;
      problems.push({
        code: 'two_anchors',
        pair: other.name,
        message:
          `${side} table ${table}: pairs "${anchor.name}" and "${other.name}" both claim its rows; ` +
          'give one of them whenAbsent, or keys that tell their rows apart',
      });
    }
  }
  return [
    ...problems,
    ...checkGuests(pairs, side, table),
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

/** A guest finds its row by the anchor's key. */
function checkGuests(pairs: readonly Pair[], side: SideName, table: string): MappingProblem[] {
  const keyOf = (pair: Pair): string =>
    pair.key
      .map((codec) => columnOn(codec, side))
      .filter((column) => column !== null)
      .sort()
      .join(', ');
  return pairs
    .filter((pair) => isGuest(pair, side))
    .filter((guest) => !pairs.some((pair) => !isGuest(pair, side) && keyOf(pair) === keyOf(guest)))
    .map((guest) => ({
      code: 'guest_key',
      pair: guest.name,
      message: `${side} table ${table}: guest pair "${guest.name}" needs the key of an anchor pair`,
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
