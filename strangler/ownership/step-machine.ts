import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../chassis/index.ts';

/** Nothing is left to do: the run is over. */
export interface End {
  readonly kind: 'end';
  /** `lost`: another engine took over and will see to it. `stuck`: an operator has to look. */
  readonly outcome: 'done' | 'aborted' | 'lost' | 'stuck';
  readonly reason: string | null;
}

/** A step; the last one records the outcome. */
type Step =
  { readonly kind: string } | { readonly kind: 'finish'; readonly outcome: 'done' | 'aborted' };

/** A move of ownership, of which the databases alone say how far it is. */
export interface StepMachine<S extends Step> {
  /** Why it should be taken back, as long as it can be; null: go on. */
  abort: string | null;
  /** Reads the facts, and decides by them alone what comes next: also after a crash at any step. */
  next(): Promise<S | End>;
  /**
   * Takes a step; each is journalled, and idempotent.
   * @returns whether it took effect: if not, the next step is decided from facts read again
   */
  take(step: S): Promise<boolean>;
  /** Whether this engine may still act. */
  stillMine(): Promise<boolean>;
}

/** One step as it was taken: when, and for how long, in ms since the run began. */
export interface StepTiming {
  readonly step: string;
  readonly at: number;
  readonly ms: number;
}

export interface RunResult extends Omit<End, 'kind'> {
  readonly steps: readonly StepTiming[];
}

const RETRY_MS = 20;

/**
 * Runs a machine to its end, whatever state it finds it in. An error before the point of no return is a reason to
 * take it back; after it, it is only waited out.
 * @param troubleMs for how long to go on against errors before the rest is left to the next run
 */
export async function runSteps<S extends Step>(
  machine: StepMachine<S>,
  troubleMs: number,
): Promise<RunResult> {
  const timings = new Timings();
  const ended = (outcome: End['outcome'], reason: string | null): RunResult => ({
    outcome,
    reason,
    steps: timings.steps,
  });
  let troubleSince: number | null = null;
  for (;;) {
    try {
      const next = await machine.next();
      if (isEnd(next)) return ended(next.outcome, next.reason);
      const at = performance.now();
      const effective = await machine.take(next);
      timings.add(next.kind, at);
      if (!effective) {
        if (!(await machine.stillMine())) return ended('lost', 'another engine has taken over');
        await delay(1);
      }
      troubleSince = null;
      if ('outcome' in next && effective)
        return ended(next.outcome, next.outcome === 'aborted' ? machine.abort : null);
    } catch (error) {
      const reason = errorText(error);
      machine.abort ??= reason;
      troubleSince ??= performance.now();
      if (performance.now() - troubleSince > troubleMs) return ended('stuck', reason);
      await delay(RETRY_MS);
    }
  }
}

function isEnd(next: Step | End): next is End {
  return next.kind === 'end';
}

/** When which step was taken. */
class Timings {
  readonly #began = performance.now();
  readonly #steps: StepTiming[] = [];

  /** A step that is taken in several goes is one step that took longer. */
  add(step: string, since: number): void {
    const last = this.#steps.at(-1);
    const again = last?.step === step;
    const at = again ? last.at : since - this.#began;
    if (again) this.#steps.pop();
    this.#steps.push({ step, at, ms: performance.now() - this.#began - at });
  }

  get steps(): readonly StepTiming[] {
    return this.#steps.map(({ step, at, ms }) => ({ step, at: round(at), ms: round(ms) }));
  }
}

/** To a hundredth: more would only look exact. */
function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
