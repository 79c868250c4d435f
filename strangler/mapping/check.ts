import type { SideName } from '../../routing/side.ts';
import { checkCohorts } from './check-cohorts.ts';
import { checkPair } from './check-pair.ts';
import { checkTable } from './check-tables.ts';
import { tablesOf } from './mapping.ts';
import type { Mapping, Pair } from './mapping.ts';
import type { MappingProblem } from './problem.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/**
 * What is wrong with a mapping by its declaration alone: names, ways back, and who writes what.
 * @returns nothing when it can be used
 */
export function checkMapping(mapping: Mapping): readonly MappingProblem[] {
  return [
    ...checkNames(mapping),
    ...checkCohorts(mapping),
    ...mapping.pairs.flatMap((pair) => checkPair(pair)),
    ...mapping.pairs.flatMap((pair) => checkPart(mapping, pair)),
    ...SIDES.flatMap((side) =>
      tablesOf(mapping, side).flatMap((table) => checkTable(mapping, side, table)),
    ),
  ];
}

/** A part names a root, by as many columns as the root's key has. */
function checkPart({ pairs }: Mapping, { name, partOf, key, columns }: Pair): MappingProblem[] {
  if (partOf === undefined) return [];
  const problem = (message: string): MappingProblem[] => [
    { code: 'no_root', pair: name, message: `pair "${name}": ${message}` },
  ];
  const root = pairs.find((pair) => pair.name === partOf.pair);
  if (root === undefined || root.partOf !== undefined) {
    return problem(`partOf names "${partOf.pair}", which is not the pair of a root`);
  }
  const width = root.key.filter(({ constant }) => constant === undefined).length;
  const missing = partOf.by.find((by) => ![...key, ...columns].some(({ legacy }) => legacy === by));
  if (missing !== undefined) return problem(`partOf needs ${missing}, which it does not carry`);
  if (partOf.by.length === width) return [];
  return problem(
    `partOf names ${partOf.by.length} columns; the key of "${root.name}" has ${width}`,
  );
}

function checkNames({ capability, pairs }: Mapping): MappingProblem[] {
  const problems: MappingProblem[] = [];
  if (!/^[a-z][a-z0-9_]*$/.test(capability)) {
    problems.push({
      code: 'bad_capability_name',
      pair: null,
      message: `"${capability}" is not a lower-case name such as "inventory"`,
    });
  }
  if (pairs.length === 0) {
    problems.push({ code: 'no_pairs', pair: null, message: 'the mapping has no pairs' });
  }
  for (const [index, { name }] of pairs.entries()) {
    if (pairs.findIndex((other) => other.name === name) < index) {
      problems.push({
        code: 'duplicate_pair',
        pair: name,
        message: `two pairs are named "${name}"`,
      });
    }
  }
  return problems;
}
