import type { Codec } from './codec.ts';
import type { CohortKey, Mapping, Pair } from './mapping.ts';
import type { MappingProblem } from './problem.ts';

/** A mapping by whose keys cohorts may move needs the key in every pair, the same on both sides. */
export function checkCohorts({ cohortKey, pairs }: Mapping): MappingProblem[] {
  if (cohortKey === undefined) return [];
  return pairs.filter((pair) => !carries(pair, cohortKey)).map((pair) => missing(pair, cohortKey));
}

function carries({ key, columns }: Pair, cohortKey: CohortKey): boolean {
  return [...key, ...columns].some(
    (codec) =>
      isPlain(codec) &&
      codec.legacy === cohortKey.legacy &&
      codec.extracted === cohortKey.extracted,
  );
}

/** Values of keys are compared as texts, on either side. */
function isPlain({ spec, secret }: Codec): boolean {
  return spec['codec'] === 'same' && secret !== true;
}

function missing({ name, legacy, extracted }: Pair, cohortKey: CohortKey): MappingProblem {
  return {
    code: 'cohort_key_not_carried',
    pair: name,
    message:
      `pair "${name}": cohorts move by ${cohortKey.legacy} of ${legacy.table} and ` +
      `${cohortKey.extracted} of ${extracted.table}, so it has to carry ` +
      `rename('${cohortKey.legacy}', '${cohortKey.extracted}') as it is, or derived from its row`,
  };
}
