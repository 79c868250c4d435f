import type { NoticeWords, SideRetirement } from '../side-retirement.ts';
import type { Lease } from '../../ledger/store.ts';
import type { Completer, CompletionReadings, CompletionStep } from './completer.ts';
import type { CompletionAction } from './decide.ts';
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
  /** Whether this engine still has its lease in legacy's database. */
  readonly stillMine: () => Promise<boolean>;
  /** Called when a step is journalled, before its effect: where a test may pull the plug. */
  readonly onStep?: (step: CompletionStep) => void | Promise<void>;
}

/** Carries out a completion on two databases; each step is journalled before its effect. */
export class StoreCompleter implements Completer {
  readonly capability: string;
  readonly #options: StoreCompleterOptions;

  constructor(options: StoreCompleterOptions) {
    this.capability = options.record.capability;
    this.#options = options;
  }

  async read(): Promise<CompletionReadings> {
    const { legacy, extracted, record } = this.#options;
    const known = await legacy.completion();
    return {
      record: known?.id === record.id ? known : null,
      captured: await extracted.captured(),
      retired: await legacy.retired(),
    };
  }

  async journal(step: CompletionAction): Promise<boolean> {
    const { legacy, record, lease, onStep } = this.#options;
    const entry = { handover: record.id, step: step.kind, detail: this.#detailOf(step) };
    const journalled = await legacy.journal(entry, lease);
    if (journalled) await onStep?.(step.kind);
    return journalled;
  }

  reconcile(): Promise<string | null> {
    return this.#options.compare();
  }

  seal(): Promise<boolean> {
    const { legacy, record, lease } = this.#options;
    return legacy.seal(record.id, lease);
  }

  async release(): Promise<void> {
    const { extracted, stopFeed } = this.#options;
    await stopFeed();
    await extracted.release();
  }

  async retire(): Promise<void> {
    const { legacy, words, stopFeed } = this.#options;
    await stopFeed();
    await legacy.retire(words);
  }

  publish(): Promise<void> {
    return this.#options.tellFacades();
  }

  finish(outcome: 'done' | 'aborted', reason: string | null): Promise<boolean> {
    const { legacy, record, lease } = this.#options;
    return legacy.finish(record.id, outcome, reason, lease);
  }

  stillMine(): Promise<boolean> {
    return this.#options.stillMine();
  }

  #detailOf(step: CompletionAction): string | null {
    if (step.kind === 'finish') return step.reason ?? step.outcome;
    if (step.kind !== 'retire') return null;
    const tables = this.#options.legacy.tables();
    return tables.map(({ table, renamed }) => `${table} -> ${renamed}`).join(', ');
  }
}
