/** How long one write was held because ownership was moving. */
export interface HeldWrite {
  /** Grows with each entry. */
  readonly sequence: number;
  readonly capability: string;
  /** The epoch in which it was sent in the end. */
  readonly epoch: number;
  readonly ms: number;
  /** Whose write it was, where that key has an owner of its own. */
  readonly key?: string;
}

/** The last held writes: enough to compute a handover's percentiles from. */
export class HoldLog {
  readonly #limit: number;
  readonly #entries: HeldWrite[] = [];
  #sequence = 0;

  constructor(limit = 50_000) {
    this.#limit = limit;
  }

  add(write: Omit<HeldWrite, 'sequence'>): void {
    this.#entries[this.#sequence % this.#limit] = {
      ...write,
      sequence: this.#sequence + 1,
      ms: Math.round(write.ms * 1_000) / 1_000,
    };
    this.#sequence += 1;
  }

  /** @returns entries after `sequence`, oldest first, as far as they are still known */
  since(sequence: number): readonly HeldWrite[] {
    const first = Math.max(0, sequence, this.#sequence - this.#limit);
    const entries: HeldWrite[] = [];
    for (let index = first; index < this.#sequence; index += 1) {
      entries.push(this.#entries[index % this.#limit] as HeldWrite);
    }
    return entries;
  }

  get sequence(): number {
    return this.#sequence;
  }
}
