import { runSteps } from '../step-machine.ts';
import type { End, RunResult, StepMachine } from '../step-machine.ts';
import type { Completer } from './completer.ts';
import { decideCompletion } from './decide.ts';
import type { CompletionAction } from './decide.ts';

/** How long a run goes on against errors before it leaves the rest to the next run, in ms. */
const TROUBLE_MS = 5_000;

/**
 * Runs a completion to its end, whatever state it finds it in.
 * @param deadline ms since 1970: one that is not sealed by then is taken back
 */
export function runCompletion(
  completer: Completer,
  deadline = Number.POSITIVE_INFINITY,
): Promise<RunResult> {
  return runSteps(new CompletionMachine(completer, deadline), TROUBLE_MS);
}

/** A completion as the runner of steps sees it: it decides by `decideCompletion`, and a completer takes the steps. */
class CompletionMachine implements StepMachine<CompletionAction> {
  abort: string | null = null;
  readonly #completer: Completer;
  #compared = false;
  #published = false;

  constructor(completer: Completer, deadline: number) {
    this.#completer = completer;
    if (Date.now() > deadline) this.abort = 'it was interrupted, and is too old to go on';
  }

  async next(): Promise<CompletionAction | End> {
    const { record, captured, retired } = await this.#completer.read();
    if (record === null) {
      const gone = `the record of the completion of ${this.#completer.capability} is gone`;
      return { kind: 'end', outcome: 'stuck', reason: gone };
    }
    const { outcome, reason } = record;
    if (outcome !== null) return { kind: 'end', outcome, reason };
    return decideCompletion({
      record,
      captured,
      retired,
      compared: this.#compared,
      abort: this.abort,
      published: this.#published,
    });
  }

  async take(step: CompletionAction): Promise<boolean> {
    const completer = this.#completer;
    if (!(await completer.journal(step))) return false;
    switch (step.kind) {
      case 'reconcile':
        this.abort ??= await completer.reconcile();
        this.#compared = this.abort === null;
        return true;
      case 'seal':
        return this.#seal();
      case 'publish':
        await completer.publish();
        this.#published = true;
        return true;
      case 'finish':
        return completer.finish(step.outcome, step.reason);
      default:
        await completer[step.kind]();
        return true;
    }
  }

  stillMine(): Promise<boolean> {
    return this.#completer.stillMine();
  }

  async #seal(): Promise<boolean> {
    const sealed = await this.#completer.seal();
    // Where this engine may act all the same, it is the fence that refuses.
    if (!sealed) this.abort ??= 'legacy has not given ownership up';
    return sealed;
  }
}
