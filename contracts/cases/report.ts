import { isSame } from './compare.ts';
import type { CaseComparison, Comparison } from './compare.ts';

function caseLines(entry: CaseComparison): string[] {
  const { name, answers, fields, differences, broken } = entry;
  return [
    `  ${isSame(entry) ? 'ok  ' : 'DIFF'} ${name} (${answers} answers, ${fields} fields)`,
    ...(['old', 'new'] as const).flatMap((side) =>
      broken[side] === null ? [] : [`       the ${side} side breaks the contract: ${broken[side]}`],
    ),
    ...differences.flatMap(({ step, path, old, new: next }) => [
      `       ${step === null ? '' : `step ${step}  `}${path}`,
      `         old ${JSON.stringify(old)}`,
      `         new ${JSON.stringify(next)}`,
    ]),
  ];
}

/** What was compared and every difference, for a terminal. */
export function reportText(comparison: Comparison): string {
  const { cases, excepted } = comparison;
  const sum = (count: (entry: CaseComparison) => number): number =>
    cases.reduce((total, entry) => total + count(entry), 0);
  const differences = sum((entry) => entry.differences.length);
  const broken = sum(({ broken: { old, new: next } }) =>
    [old, next].reduce((total, side) => total + (side === null ? 0 : 1), 0),
  );
  return [
    `${comparison.old} (old) and ${comparison.new} (new)`,
    ...cases.flatMap(caseLines),
    '',
    `  ${cases.length} cases, ${sum(({ answers }) => answers)} answers, ` +
      `${sum(({ fields }) => fields)} fields compared`,
    ...excepted
      .filter(({ fields }) => fields > 0)
      .map(
        ({ name, reason, fields }) => `  ${fields} fields differ as they may, ${name}: ${reason}`,
      ),
    `  ${differences} differences, ${broken} broken promises`,
    '',
  ].join('\n');
}
