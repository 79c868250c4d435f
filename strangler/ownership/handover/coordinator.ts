import { setTimeout as delay } from 'node:timers/promises';
import { errorText, LATE, within } from '../../../chassis/index.ts';
import { decide } from './decide.ts';
import type { Action } from './decide.ts';
import type { StepKind, Switcher } from './switcher.ts';

/** One step as it was taken: when, and for how long, in ms since the run began. */
export interface StepTiming {
  readonly step: StepKind;
  readonly at: number;
  readonly ms: number;
}

export interface HandoverResult {
  /** `lost`: another engine took over and will see to it. `stuck`: an operator has to look. */
  readonly outcome: 'done' | 'aborted' | 'lost' | 'stuck';
  readonly reason: string | null;
  /** For how long writers had to wait, in ms; null when this run did not hold them itself. */
  readonly holdMs: number | null;
  readonly steps: readonly StepTiming[];
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

const RETRY_MS = 20;

/** Runs one handover to its end, whatever state it finds it in: a thin loop around `decide`. */
export class Coordinator {
  readonly #switcher: Switcher;
  readonly #limits: StepLimits;
  readonly #askAbort: () => string | null;
  readonly #steps: StepTiming[] = [];
  readonly #began = performance.now();
  #held = false;
  #published = false;
  #settled = false;
  #abort: string | null = null;
  #waitingSince: number | null = null;
  #troubleSince: number | null = null;

  /** @param askAbort why somebody wants this handover taken back; asked before each step */
  constructor(
    switcher: Switcher,
    limits = defaultLimits,
    askAbort: () => string | null = () => null,
  ) {
    this.#switcher = switcher;
    this.#limits = limits;
    this.#askAbort = askAbort;
  }

  async run(): Promise<HandoverResult> {
    for (;;) {
      try {
        const result = await this.#next();
        if (result) return result;
      } catch (error) {
        const reason = errorText(error);
        // Before the commit point an error is taken back; after it, it is only waited out.
        this.#abort ??= reason;
        this.#troubleSince ??= performance.now();
        if (performance.now() - this.#troubleSince > this.#limits.troubleMs) {
          return this.#result('stuck', reason);
        }
        await delay(RETRY_MS);
      }
    }
  }

  async #next(): Promise<HandoverResult | undefined> {
    const action = await this.#decide();
    if (action.kind === 'nothing') return this.#result('lost', 'another engine has finished it');
    if (action.kind === 'alarm') {
      // Both databases are read one after the other: what looks impossible must look so twice.
      const again = await this.#decide();
      if (again.kind === 'alarm') return this.#result('stuck', again.reason);
      return undefined;
    }
    const at = performance.now();
    const effective = await this.#perform(action);
    this.#record(action.kind, at);
    if (!effective) {
      if (!(await this.#switcher.stillMine())) {
        return this.#result('lost', 'another engine has taken over');
      }
      await delay(1);
    }
    this.#troubleSince = null;
    if (action.kind !== 'finish' || !effective) return undefined;
    return this.#result(action.outcome, action.outcome === 'aborted' ? this.#abort : null);
  }

  async #decide(): Promise<Action> {
    const { deadline, targetTrouble, ...readings } = await this.#switcher.read();
    this.#abort ??= this.#askAbort() ?? targetTrouble;
    if (Date.now() > deadline) this.#abort ??= 'its deadline has passed';
    return decide({
      ...readings,
      settled: this.#settled,
      abort: this.#abort,
      held: this.#held,
      published: this.#published,
    });
  }

  async #perform(action: Exclude<Action, { kind: 'nothing' | 'alarm' }>): Promise<boolean> {
    switch (action.kind) {
      case 'hold':
        this.#held = true;
        return this.#switcher.hold();
      case 'close':
        return this.#close();
      case 'awaitApplied':
        return this.#awaitApplied(action.position);
      case 'abort':
        return this.#switcher.abort(action.from, action.reason);
      case 'publish':
        this.#published = true;
        return this.#switcher.publish();
      case 'finish':
        return this.#switcher.finish(action.outcome);
      default:
        return this.#switcher[action.kind]();
    }
  }

  /** Waits for open write transactions, but not for ever: writers are being held meanwhile. */
  async #close(): Promise<boolean> {
    const { closeMs } = this.#limits;
    // It may still succeed afterwards; taking back is decided from what the fence then says.
    const closed = await within(closeMs, this.#switcher.close());
    if (closed !== LATE) return closed;
    this.#abort ??= `open write transactions kept the fence from closing for ${closeMs} ms`;
    return true;
  }

  async #awaitApplied(position: number): Promise<boolean> {
    this.#waitingSince ??= performance.now();
    const left = this.#waitingSince + this.#limits.applyMs - performance.now();
    if (left <= 0) {
      this.#abort ??= `the other side did not catch up within ${this.#limits.applyMs} ms`;
      return true;
    }
    this.#settled = await this.#switcher.awaitApplied(position);
    return true;
  }

  /** A step that is taken in several goes is one step that took longer. */
  #record(step: StepKind, since: number): void {
    const last = this.#steps.at(-1);
    const again = last?.step === step;
    const at = again ? last.at : since - this.#began;
    if (again) this.#steps.pop();
    this.#steps.push({ step, at, ms: performance.now() - this.#began - at });
  }

  #result(outcome: HandoverResult['outcome'], reason: string | null): HandoverResult {
    const steps = this.#steps.map(({ step, at, ms }) => ({ step, at: round(at), ms: round(ms) }));
    return { outcome, reason, holdMs: holdOf(steps), steps };
  }
}

function holdOf(steps: readonly StepTiming[]): number | null {
  const held = steps.find(({ step }) => step === 'hold');
  const published = steps.findLast(({ step }) => step === 'publish');
  return held && published ? round(published.at + published.ms - held.at) : null;
}

/** To a hundredth: more would only look exact. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
