import type { Fence } from '../../../chassis/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import type { Readings, Switcher } from './switcher.ts';

interface DryRunOptions {
  readonly from: SideName;
  readonly source: Fence;
  readonly target: Fence;
  /** Last position of the source's feed at the moment. */
  readonly position: number;
  readonly applied: number;
  /** Whether writes under way have to finish first. */
  readonly drains: boolean;
  /** What moves, in words: the capability, or some of its keys. */
  readonly what: string;
}

/** Goes through a handover on paper: changes nothing, and keeps what each step would do. */
export class DryRunSwitcher implements Switcher {
  readonly lines: string[] = [];
  readonly #given: DryRunOptions;
  readonly #epoch: number;
  #readings: Readings;

  constructor(given: DryRunOptions) {
    this.#given = given;
    this.#epoch = given.source.epoch + 1;
    this.#readings = {
      source: given.source,
      target: given.target,
      handover: { epoch: this.#epoch, position: null },
      applied: given.applied,
      targetTrouble: null,
      deadline: Number.POSITIVE_INFINITY,
    };
  }

  read(): Promise<Readings> {
    return Promise.resolve(this.#readings);
  }

  hold(): Promise<boolean> {
    const { what, from, drains } = this.#given;
    const wait = drains ? `, and wait until those under way at ${from} are answered` : '';
    return this.#would(`tell the facades to hold new writes of ${what}${wait}`);
  }

  close(): Promise<boolean> {
    return this.#move('source', { state: 'closed', epoch: this.#epoch });
  }

  recordPosition(): Promise<boolean> {
    const { from, position } = this.#given;
    this.#readings = { ...this.#readings, handover: { epoch: this.#epoch, position } };
    return this.#would(`record the last position of ${from}'s feed, ${position} at the moment`);
  }

  awaitApplied(position: number): Promise<boolean> {
    const missing = position - this.#readings.applied;
    this.#readings = { ...this.#readings, applied: position };
    const target = otherSide(this.#given.from);
    return this.#would(`wait until ${target} has applied it, ${missing} changes at the moment`);
  }

  cede(): Promise<boolean> {
    return this.#move('source', { state: 'ceded', epoch: this.#epoch }, ': the commit point');
  }

  abort(_from: 'open' | 'closed', reason: string): Promise<boolean> {
    return this.#move('source', { state: 'open', epoch: this.#epoch + 1 }, `: ${reason}`);
  }

  open(): Promise<boolean> {
    return this.#move('target', { state: 'open', epoch: this.#epoch });
  }

  publish(): Promise<boolean> {
    return this.#would('tell the facades who the owner is; held writes go there');
  }

  finish(outcome: 'done' | 'aborted'): Promise<boolean> {
    return this.#would(`record the outcome: ${outcome}`);
  }

  stillMine(): Promise<boolean> {
    return Promise.resolve(true);
  }

  #move(which: 'source' | 'target', to: Fence, remark = ''): Promise<boolean> {
    const { from } = this.#given;
    const side = which === 'source' ? from : otherSide(from);
    const before = this.#readings[which];
    this.#readings = { ...this.#readings, [which]: to };
    return this.#would(
      `move ${side}'s fence from ${before.state} (${before.epoch}) to ${to.state} (${to.epoch})${remark}`,
    );
  }

  #would(line: string): Promise<boolean> {
    this.lines.push(line);
    return Promise.resolve(true);
  }
}
