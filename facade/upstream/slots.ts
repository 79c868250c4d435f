interface Waiting {
  readonly enter: () => void;
  next: Waiting | undefined;
}

/**
 * A bound on how many do something at the same time; the others queue in order. A linked list: from an
 * array of twenty thousand held writes, each that leaves would move all others.
 */
export class Slots {
  #free: number;
  #first: Waiting | undefined;
  #last: Waiting | undefined;

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when there is a slot; it must be given back with `leave`. */
  enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const waiting: Waiting = { enter: resolve, next: undefined };
      if (this.#last) this.#last.next = waiting;
      else this.#first = waiting;
      this.#last = waiting;
    });
  }

  leave(): void {
    const next = this.#first;
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#first = next.next;
    if (!this.#first) this.#last = undefined;
    next.enter();
  }
}
