import { recordingApi } from './api.ts';
import type { Api } from './api.ts';
import type { Area, Exchange, Target } from './target.ts';

/** One thing the contract promises. `run` throws what a target does not keep. */
export interface ContractCase {
  readonly name: string;
  readonly area: Area;
  run(api: Api): Promise<void>;
}

/** What a target made of a case. */
export interface CaseRun {
  readonly name: string;
  readonly area: Area;
  readonly exchanges: readonly Exchange[];
  /** What each name that was made up for this run stands for. */
  readonly labels: ReadonlyMap<string, string>;
  /** What did not hold; null when all did. */
  readonly broken: string | null;
}

export interface TargetRun {
  readonly target: Target;
  readonly cases: readonly CaseRun[];
}

/** Node's assertions explain themselves over several lines. */
function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s+/g, ' ').trim();
}

/**
 * Who runs a case. One customer for all of them, whom a facade shows what it has written; or, where
 * that is waited for, each case a customer of its own, the same in every run, so that of a share of
 * the customers it is always the same ones.
 */
function customerOf({ settled }: Target, name: string): string {
  return settled ? `CT-CLIENT-${name.replaceAll(/[^A-Za-z0-9]+/g, '-')}` : 'CT-CLIENT';
}

/** Runs one case; a promise that is not kept is part of the result. */
export async function runCase(target: Target, { name, area, run }: ContractCase): Promise<CaseRun> {
  const api = recordingApi(target, customerOf(target, name));
  let broken: string | null = null;
  try {
    await run(api);
  } catch (error) {
    const step = api.exchanges.at(-1);
    const where = step ? `step ${api.exchanges.length}, ${step.method} ${step.path}: ` : '';
    broken = `${where}${oneLine(error)}`;
  }
  broken ??= api.unarranged[0] ?? null;
  return { name, area, exchanges: api.exchanges, labels: api.labels, broken };
}

/** Runs, one after the other, the cases of the areas that a target serves. */
export async function runCases(target: Target, cases: readonly ContractCase[]): Promise<TargetRun> {
  const runs: CaseRun[] = [];
  for (const contractCase of cases) {
    if (target.areas.includes(contractCase.area)) runs.push(await runCase(target, contractCase));
  }
  return { target, cases: runs };
}
