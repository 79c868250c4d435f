/** Something with a deadline; part of a doubly linked list, so that it costs nothing to leave. */
export interface Timed {
  dueAt: number;
  previous: Timed | undefined;
  next: Timed | undefined;
  expire(): void;
}

const SWEEP_MS = 50;

/**
 * Deadlines that all lie equally far ahead. New ones go to the end, so the list is in order of time
 * and one timer for all of them is enough.
 */
export class Deadlines {
  readonly limitMs: number;
  #first: Timed | undefined;
  #last: Timed | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.limitMs = limitMs;
  }

  /** Starts, or starts anew, the time of `timed`. */
  start(timed: Timed, now: number): void {
    if (timed.dueAt !== 0) this.stop(timed);
    timed.dueAt = now + this.limitMs;
    timed.previous = this.#last;
    if (this.#last) this.#last.next = timed;
    else this.#first = timed;
    this.#last = timed;
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }

  stop(timed: Timed): void {
    if (timed.dueAt === 0) return;
    timed.dueAt = 0;
    if (timed.previous) timed.previous.next = timed.next;
    else this.#first = timed.next;
    if (timed.next) timed.next.previous = timed.previous;
    else this.#last = timed.previous;
    timed.previous = undefined;
    timed.next = undefined;
  }

  #sweep(): void {
    const now = performance.now();
    while (this.#first && this.#first.dueAt <= now) {
      const timed = this.#first;
      this.stop(timed);
      timed.expire();
    }
    if (!this.#first) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
