import type { Completer, CompletionReadings } from './completer.ts';
import type { CompletionRecord, RenamedTable } from './record.ts';

interface Given {
  readonly capability: string;
  readonly tables: readonly RenamedTable[];
}

/** Writes down what a completion would do, and does nothing. */
export class DryRunCompleter implements Completer {
  readonly capability: string;
  readonly lines: string[] = [];
  readonly #given: Given;
  #record: CompletionRecord;
  #captured = true;
  #retired = false;

  constructor(given: Given) {
    this.capability = given.capability;
    this.#given = given;
    this.#record = {
      id: '',
      capability: given.capability,
      startedAt: Date.now(),
      sealedAt: null,
      finishedAt: null,
      outcome: null,
      reason: null,
    };
  }

  async read(): Promise<CompletionReadings> {
    return { record: this.#record, captured: this.#captured, retired: this.#retired };
  }

  async journal(): Promise<boolean> {
    return true;
  }

  async reconcile(): Promise<null> {
    this.lines.push('compare both sides row by row, a last time; up to here it is taken back');
    return null;
  }

  async seal(): Promise<boolean> {
    this.#record = { ...this.#record, sealedAt: Date.now() };
    this.lines.push('close the way back: the point of no return');
    return true;
  }

  async release(): Promise<void> {
    this.#captured = false;
    this.lines.push("end the feed that leads back, and take Fig's triggers off extracted's tables");
  }

  async retire(): Promise<void> {
    this.#retired = true;
    const renames = this.#given.tables.map(({ table, renamed }) => `${table} to ${renamed}`);
    this.lines.push(
      `take Fig's triggers off legacy's tables, and rename ${renames.join(', ')}; its routes answer 410`,
    );
  }

  async publish(): Promise<void> {
    this.lines.push(`tell the facades that ${this.#given.capability} is at extracted for good`);
  }

  async finish(outcome: 'done' | 'aborted'): Promise<boolean> {
    this.lines.push(`record the outcome: ${outcome}`);
    return true;
  }

  async stillMine(): Promise<boolean> {
    return true;
  }
}
