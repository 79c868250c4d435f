import type { NoticeWords, SideRetirement } from '../side-retirement.ts';
import type { Lease } from '../../ledger/store.ts';
import type { Completer, CompletionReadings, CompletionStep } from './completer.ts';
import type { CompletionRecord } from './record.ts';

interface StoreCompleterOptions {
  readonly record: CompletionRecord;
  readonly legacy: SideRetirement;
  readonly extracted: SideRetirement;
  /** In legacy's database, where the record is. */
  readonly lease: Lease;
  readonly words: NoticeWords;
  /** Compares both sides as a whole; says why they are not equal. */
  readonly compare: () => Promise<string | null>;
  /** Ends what this process carries from side to side. */
  readonly stopFeed: () => Promise<void>;
  readonly tellFacades: () => Promise<void>;
  /** Called when a step is journalled, before its effect: where a test may pull the plug. */
  readonly onStep?: (step: CompletionStep) => void | Promise<void>;
}

/** Another engine has taken over, and goes on with it. */
export class CompletionLost extends Error {
  override readonly name = 'CompletionLost';
}

/** Carries out a completion on two databases; each step is journalled before its effect. */
export class StoreCompleter implements Completer {
  readonly #options: StoreCompleterOptions;

  constructor(options: StoreCompleterOptions) {
    this.#options = options;
  }

  async read(): Promise<CompletionReadings> {
    const { legacy, extracted, record } = this.#options;
    const known = await legacy.completion();
    // What this process remembers of it says nothing about what may still be done.
    if (known?.id !== record.id) {
      throw new Error(`the record of the completion of ${record.capability} is gone`);
    }
    return {
      record: known,
      captured: await extracted.captured(),
      retired: await legacy.retired(),
    };
  }

  async reconcile(): Promise<string | null> {
    await this.#journal('reconcile');
    return this.#options.compare();
  }

  async seal(): Promise<void> {
    const { legacy, record, lease } = this.#options;
    await this.#journal('seal');
    this.#held(await legacy.seal(record.id, lease));
  }

  async release(): Promise<void> {
    const { extracted, stopFeed } = this.#options;
    await this.#journal('release');
    await stopFeed();
    await extracted.release();
  }

  async retire(): Promise<void> {
    const { legacy, words, stopFeed } = this.#options;
    const renames = legacy.tables().map(({ table, renamed }) => `${table} -> ${renamed}`);
    await this.#journal('retire', renames.join(', '));
    await stopFeed();
    await legacy.retire(words);
  }

  async publish(): Promise<void> {
    await this.#journal('publish');
    await this.#options.tellFacades();
  }

  async finish(outcome: 'done' | 'aborted', reason: string | null): Promise<void> {
    const { legacy, record, lease } = this.#options;
    await this.#journal('finish', reason ?? outcome);
    this.#held(await legacy.finish(record.id, outcome, reason, lease));
  }

  async #journal(step: CompletionStep, detail: string | null = null): Promise<void> {
    const { legacy, record, lease, onStep } = this.#options;
    this.#held(await legacy.journal({ handover: record.id, step, detail }, lease));
    await onStep?.(step);
  }

  #held(effective: boolean): void {
    if (!effective) throw new CompletionLost('another engine has taken over');
  }
}
