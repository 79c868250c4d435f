import { isSplit, ownersOf } from '../direction.ts';
import type { AllFences } from '../direction.ts';
import type { KeyCount, PairReport, ReconcileReport } from './report.ts';

/** Joins what was found of the rows of either owner, where single keys are ahead of the rest. */
export function joined(
  first: ReconcileReport,
  second: ReconcileReport,
  keys: KeyCount | null,
): ReconcileReport {
  const pairs = first.pairs.map((pair, index): PairReport => {
    const other = second.pairs[index] ?? pair;
    return {
      ...pair,
      missing: pair.missing + other.missing,
      extra: pair.extra + other.extra,
      different: pair.different + other.different,
      unsettled: pair.unsettled + other.unsettled,
    };
  });
  return {
    ...first,
    clean: first.clean && second.clean && (keys === null || keys.doubtful.length === 0),
    pairs,
    rows: [...first.rows, ...second.rows],
    finishedAt: second.finishedAt,
    keys,
  };
}

/** Counts the owners of each key, which must be one, and the same all the while. */
export function keyCountOf(before: AllFences, after: AllFences): KeyCount | null {
  if (!isSplit(before)) return null;
  const [then, now] = [ownersOf(before), ownersOf(after)];
  const of = (side: string): number => [...then.values()].filter((owner) => owner === side).length;
  const doubtful = [...then].filter(([key, owner]) => owner === null || now.get(key) !== owner);
  return {
    legacy: of('legacy'),
    extracted: of('extracted'),
    doubtful: doubtful.map(([key]) => key),
  };
}
