import type { Build, ContractRun } from '../../../routing/index.ts';
import { refuse } from './gate.ts';
import type { Judgement } from './gate.ts';

/** The result of a look that takes a moment; `untried` while other gates refuse anyway. */
export type Proof<T> = { readonly tried: true; readonly result: T } | { readonly tried: false };

export const UNTRIED = { tried: false } as const;

/** A figure that must be the same on both sides, read as of one position. */
export interface InvariantReading {
  readonly name: string;
  readonly legacy: string;
  readonly extracted: string;
  /** Why there is no reading to compare; null when there is. */
  readonly problem: string | null;
}

export interface ContractFact {
  /** The newest comparison of the answers of both sides; null when there was none. */
  readonly run: ContractRun | null;
  /** What runs on both sides now, or why one of them does not say. */
  readonly running: { readonly old: Build; readonly new: Build } | { readonly trouble: string };
  /** How to make a comparison. */
  readonly command: string;
}

const open: Judgement = { ok: true, note: null };
const untried: Judgement = {
  ok: false,
  reason: 'it is tried when the gates before it hold',
  next: null,
  untried: true,
};

export function judgeContract(fact: ContractFact | null): Judgement {
  if (fact === null) return { ok: true, note: 'there is none for this capability' };
  const { run, running, command } = fact;
  if ('trouble' in running) return refuse(running.trouble, 'fig status');
  if (run === null) return refuse('what both sides answer has never been compared', command);
  if (!run.ok) return refuse('both sides did not answer alike when they were compared', command);
  for (const side of ['old', 'new'] as const) {
    const [compared, runs] = [run[side], running[side]];
    if (compared.name === runs.name && compared.version === runs.version) continue;
    return refuse(
      `the answers of ${shown(compared)} were compared; what runs is ${shown(runs)}`,
      command,
    );
  }
  return open;
}

function shown({ name, version }: Build): string {
  return `${name} ${version}`;
}

export function judgeInvariants(
  proof: Proof<readonly InvariantReading[]>,
  capability: string,
): Judgement {
  if (!proof.tried) return untried;
  const reasons = proof.result.flatMap(({ name, legacy, extracted, problem }) => {
    if (problem !== null) return [`${name}: ${problem}`];
    return legacy === extracted ? [] : [`${name}: ${legacy} in legacy, ${extracted} in extracted`];
  });
  if (reasons.length === 0) return open;
  return refuse(reasons.join('; '), `fig reconcile ${capability}`);
}

export function judgeWayBack(proof: Proof<string | null>, capability: string): Judgement {
  if (!proof.tried) return untried;
  if (proof.result === null) return open;
  return refuse(`there would be no way back: ${proof.result}`, `fig check ${capability}`);
}
