import { EXCEPTIONS } from './exceptions.ts';
import type { Pairing } from './exceptions.ts';
import { ABSENT, fieldsOf, labelsOf, relabel } from './fields.ts';
import type { Leaf } from './fields.ts';
import type { CaseRun, TargetRun } from './run.ts';
import type { Area, Exchange } from './target.ts';

type Labels = ReadonlyMap<string, string>;

/** One field that the two sides answered differently, or a step that one of them never got to. */
export interface Difference {
  /** The request, as it was sent to the old side; null for the case as a whole. */
  readonly step: string | null;
  readonly path: string;
  readonly old: Leaf;
  readonly new: Leaf;
}

export interface CaseComparison {
  readonly name: string;
  readonly area: Area;
  readonly answers: number;
  readonly fields: number;
  readonly differences: readonly Difference[];
  /** What each side did not keep of the contract itself. */
  readonly broken: { readonly old: string | null; readonly new: string | null };
}

export interface Comparison {
  readonly old: string;
  readonly new: string;
  readonly cases: readonly CaseComparison[];
  /** How many fields each exception covered. */
  readonly excepted: readonly { name: string; reason: string; fields: number }[];
  readonly ok: boolean;
}

/** Whether both sides kept the contract and answered a case alike. */
export function isSame({ differences, broken }: CaseComparison): boolean {
  return differences.length === 0 && broken.old === null && broken.new === null;
}

/** Compares what two targets answered to the same cases, field by field. */
export function compareRuns(old: TargetRun, next: TargetRun): Comparison {
  const counts = new Map<string, number>();
  const newCases = new Map(next.cases.map((run) => [run.name, run]));
  const cases = old.cases.flatMap((run) => {
    const partner = newCases.get(run.name);
    return partner ? [compareCase(run, partner, counts)] : [];
  });
  return {
    old: old.target.name,
    new: next.target.name,
    cases,
    excepted: EXCEPTIONS.map(({ name, reason }) => ({
      name,
      reason,
      fields: counts.get(name) ?? 0,
    })),
    // To have compared nothing is not to have found nothing.
    ok: cases.length > 0 && cases.every(isSame),
  };
}

function compareCase(old: CaseRun, next: CaseRun, counts: Map<string, number>): CaseComparison {
  const answers = Math.min(old.exchanges.length, next.exchanges.length);
  const differences: Difference[] = [];
  let fields = 0;
  const oldLabels = labelsOf(old);
  const newLabels = labelsOf(next);
  for (const [index, oldExchange] of old.exchanges.slice(0, answers).entries()) {
    const newExchange = next.exchanges[index];
    if (!newExchange) break;
    const pairs = pairFields(oldExchange, oldLabels, newExchange, newLabels);
    fields += pairs.length;
    for (const pairing of pairs) {
      if (pairing.old === pairing.new) continue;
      const exception = EXCEPTIONS.find((candidate) => candidate.covers(pairing));
      if (exception) counts.set(exception.name, (counts.get(exception.name) ?? 0) + 1);
      else {
        const step = `${index + 1}: ${oldExchange.method} ${pairing.requestPath}`;
        differences.push({ step, path: pairing.path, old: pairing.old, new: pairing.new });
      }
    }
  }
  if (old.exchanges.length !== next.exchanges.length) {
    differences.push({
      step: null,
      path: 'answers',
      old: old.exchanges.length,
      new: next.exchanges.length,
    });
  }
  const broken = { old: old.broken, new: next.broken };
  return { name: old.name, area: old.area, answers, fields, differences, broken };
}

/** The fields of two answers side by side; one that only one side has is absent on the other. */
function pairFields(
  oldExchange: Exchange,
  oldLabels: Labels,
  newExchange: Exchange,
  newLabels: Labels,
): Pairing[] {
  const oldFields = fieldsOf(oldExchange.answer);
  const newFields = fieldsOf(newExchange.answer);
  return [...new Set([...oldFields.keys(), ...newFields.keys()])].map((path) => {
    const oldValue = oldFields.get(path) ?? absentIfMissing(oldFields, path);
    const newValue = newFields.get(path) ?? absentIfMissing(newFields, path);
    return {
      requestPath: relabel(oldExchange.path, oldLabels),
      path,
      old: oldValue,
      new: newValue,
      oldMeaning: typeof oldValue === 'string' ? relabel(oldValue, oldLabels) : oldValue,
      newMeaning: typeof newValue === 'string' ? relabel(newValue, newLabels) : newValue,
    };
  });
}

/** `null` is a value; only what is not there is absent. */
function absentIfMissing(fields: ReadonlyMap<string, Leaf>, path: string): Leaf {
  return fields.has(path) ? null : ABSENT;
}
