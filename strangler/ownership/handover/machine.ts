import { LATE, within } from '../../../chassis/index.ts';
import { runSteps } from '../step-machine.ts';
import type { End, RunResult, StepMachine, StepTiming } from '../step-machine.ts';
import { decide } from './decide.ts';
import type { Action } from './decide.ts';
import type { Switcher } from './switcher.ts';

export interface HandoverResult extends RunResult {
  /** For how long writers had to wait, in ms; null when this run did not hold them itself. */
  readonly holdMs: number | null;
}

export interface StepLimits {
  /** How long writes under way may take where they have to finish first, in ms. */
  readonly drainMs: number;
  /** How long closing may wait for open write transactions, in ms. */
  readonly closeMs: number;
  /** How long the target may take to apply the last changes, in ms. */
  readonly applyMs: number;
  /** How long a run goes on against errors before it leaves the rest to the next run, in ms. */
  readonly troubleMs: number;
}

export const defaultLimits: StepLimits = {
  drainMs: 5_000,
  closeMs: 1_000,
  applyMs: 2_000,
  troubleMs: 5_000,
};

/**
 * Runs one handover to its end, whatever state it finds it in.
 * @param askAbort why somebody wants this handover taken back; asked before each step
 */
export async function runHandover(
  switcher: Switcher,
  limits = defaultLimits,
  askAbort: () => string | null = () => null,
): Promise<HandoverResult> {
  const result = await runSteps(new HandoverMachine(switcher, limits, askAbort), limits.troubleMs);
  return { ...result, holdMs: holdOf(result.steps) };
}

type TakenStep = Exclude<Action, { kind: 'nothing' | 'alarm' }>;

/** A handover as the runner of steps sees it: it decides by `decide`, and a switcher takes the steps. */
class HandoverMachine implements StepMachine<TakenStep> {
  abort: string | null = null;
  readonly #switcher: Switcher;
  readonly #limits: StepLimits;
  readonly #askAbort: () => string | null;
  #held = false;
  #published = false;
  #settled = false;
  #waitingSince: number | null = null;

  constructor(switcher: Switcher, limits: StepLimits, askAbort: () => string | null) {
    this.#switcher = switcher;
    this.#limits = limits;
    this.#askAbort = askAbort;
  }

  async next(): Promise<TakenStep | End> {
    let action = await this.#decide();
    // Both databases are read one after the other: what looks impossible must look so twice.
    if (action.kind === 'alarm') action = await this.#decide();
    if (action.kind === 'alarm') return { kind: 'end', outcome: 'stuck', reason: action.reason };
    if (action.kind !== 'nothing') return action;
    return { kind: 'end', outcome: 'lost', reason: 'another engine has finished it' };
  }

  take(step: TakenStep): Promise<boolean> {
    switch (step.kind) {
      case 'hold':
        this.#held = true;
        return this.#switcher.hold();
      case 'close':
        return this.#close();
      case 'awaitApplied':
        return this.#awaitApplied(step.position);
      case 'abort':
        return this.#switcher.abort(step.from, step.reason);
      case 'publish':
        this.#published = true;
        return this.#switcher.publish();
      case 'finish':
        return this.#switcher.finish(step.outcome);
      default:
        return this.#switcher[step.kind]();
    }
  }

  stillMine(): Promise<boolean> {
    return this.#switcher.stillMine();
  }

  async #decide(): Promise<Action> {
    const { deadline, targetTrouble, ...readings } = await this.#switcher.read();
    this.abort ??= this.#askAbort() ?? targetTrouble;
    if (Date.now() > deadline) this.abort ??= 'its deadline has passed';
    return decide({
      ...readings,
      settled: this.#settled,
      abort: this.abort,
      held: this.#held,
      published: this.#published,
    });
  }

  /** Waits for open write transactions, but not for ever: writers are being held meanwhile. */
  async #close(): Promise<boolean> {
    const { closeMs } = this.#limits;
    // It may still succeed afterwards; taking back is decided from what the fence then says.
    const closed = await within(closeMs, this.#switcher.close());
    if (closed !== LATE) return closed;
    this.abort ??= `open write transactions kept the fence from closing for ${closeMs} ms`;
    return true;
  }

  async #awaitApplied(position: number): Promise<boolean> {
    this.#waitingSince ??= performance.now();
    const left = this.#waitingSince + this.#limits.applyMs - performance.now();
    if (left <= 0) {
      this.abort ??= `the other side did not catch up within ${this.#limits.applyMs} ms`;
      return true;
    }
    this.#settled = await this.#switcher.awaitApplied(position);
    return true;
  }
}

function holdOf(steps: readonly StepTiming[]): number | null {
  const held = steps.find(({ step }) => step === 'hold');
  const published = steps.findLast(({ step }) => step === 'publish');
  return held && published ? Math.round((published.at + published.ms - held.at) * 100) / 100 : null;
}
