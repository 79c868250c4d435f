import { databaseTrouble, errorText } from '../../chassis/index.ts';
import type { MappingProblem } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';

/** Why a mapping is refused, with the column and a value that shows it. */
export interface Finding extends Omit<MappingProblem, 'place'> {
  readonly side: SideName | null;
  /** `TABLE.COLUMN`, where one is at fault; `TABLE` where the table is. */
  readonly column: string | null;
  /** A value, or a row's key, with which it goes wrong; never a secret. */
  readonly counterexample: string | null;
  /** How many values or rows were seen to go wrong. */
  readonly count: number;
}

/** Collects findings: the first of each kind is kept as the example, the rest are counted. */
export class Findings {
  readonly #found = new Map<string, Finding>();

  add(finding: Omit<Finding, 'count'>): void {
    const { code, pair, side, column } = finding;
    const kind = JSON.stringify([code, pair, side, column]);
    const known = this.#found.get(kind);
    this.#found.set(kind, known ? { ...known, count: known.count + 1 } : { ...finding, count: 1 });
  }

  /** What schema and declaration say by themselves. */
  addProblems(side: SideName | null, problems: readonly MappingProblem[]): void {
    for (const [index, problem] of problems.entries()) {
      const { code, pair, message, place = null } = problem;
      const finding = { code, pair, side, column: place, counterexample: null, message, count: 1 };
      this.#found.set(`${side ?? ''} ${index}`, finding);
    }
  }

  get size(): number {
    return this.#found.size;
  }

  get all(): readonly Finding[] {
    return [...this.#found.values()];
  }
}

/**
 * Does one part of a check. What goes wrong in it is a finding, and keeps no other part from its verdict.
 * @param column `TABLE` or `TABLE.COLUMN`
 * @throws what keeps a database from being asked anything at all
 */
export async function tryPart(
  findings: Findings,
  side: SideName,
  column: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (databaseTrouble(error) !== undefined) throw error;
    const message = `${side} ${column}: could not be tried: ${errorText(error)}`;
    findings.add({ code: 'not_tried', pair: null, side, column, counterexample: null, message });
  }
}
