import type { Dispatcher } from 'undici';
import type { Exchange } from './exchange.ts';

export interface Waiting {
  readonly request: Dispatcher.DispatchOptions;
  readonly exchange: Exchange;
}

/** Requests that wait for a connection, in order. No client address may have more than half of it. */
export class WaitingLine {
  readonly #most: number;
  #entries: Waiting[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** @returns false where there is no room */
  join(entry: Waiting): boolean {
    if (this.#entries.length >= this.#most) this.#forgetCalledOff();
    if (this.#entries.length >= this.#most || this.#isCrowdedBy(entry.exchange.client))
      return false;
    entry.exchange.isWaiting = true;
    this.#entries.push(entry);
    return true;
  }

  /** The first one that may go, and still wants to; it leaves the line. */
  next(mayGo: (exchange: Exchange) => boolean): Waiting | undefined {
    for (let index = 0; index < this.#entries.length;) {
      const entry = this.#entries[index] as Waiting;
      const { exchange } = entry;
      if (!exchange.calledOff && !mayGo(exchange)) {
        index += 1;
        continue;
      }
      this.#remove(index);
      exchange.isWaiting = false;
      if (!exchange.calledOff) return entry;
    }
    return undefined;
  }

  /** Everybody leaves. */
  clear(): readonly Waiting[] {
    return this.#entries.splice(0);
  }

  /** The first is nearly always the one that goes. */
  #remove(index: number): void {
    if (index === 0) this.#entries.shift();
    else this.#entries.splice(index, 1);
  }

  #forgetCalledOff(): void {
    this.#entries = this.#entries.filter(({ exchange }) => !exchange.calledOff);
  }

  #isCrowdedBy(client: string | undefined): boolean {
    const half = Math.ceil(this.#most / 2);
    if (client === undefined || this.#entries.length < half) return false;
    return this.#entries.filter(({ exchange }) => exchange.client === client).length >= half;
  }
}
