import { setTimeout as delay } from 'node:timers/promises';

/** How soon a new limit is noticed by whoever waits for the old one, in ms. */
const LOOK_MS = 50;
/** Rows are taken in pieces of this long, or a limit would be a few bursts a minute. */
const PIECE_MS = 100;
/** How far back the speed that is shown looks, in ms. */
const WINDOW_MS = 5_000;
/** Time that was not used is not made up for later. */
const GRACE_MS = 500;

/** Keeps a copy at so many rows a second, and tells how fast it is. The limit may change at any time. */
export class Pace {
  #limit: number | null = null;
  #dueAt = 0;
  #steps: { readonly at: number; readonly rows: number }[] = [];
  #startedAt = 0;

  /** In rows a second; null: as fast as it can. */
  get limit(): number | null {
    return this.#limit;
  }

  /** How many rows to take at once at most. */
  get most(): number {
    if (this.#limit === null) return Number.POSITIVE_INFINITY;
    return Math.max(1, Math.ceil((this.#limit * PIECE_MS) / 1000));
  }

  /** Rows a second lately; null before anything is known. */
  get rowsPerSecond(): number | null {
    const now = performance.now();
    const since = Math.max(this.#startedAt, now - WINDOW_MS);
    if (this.#steps.length === 0 || now <= since) return null;
    const rows = this.#steps
      .filter(({ at }) => at > since)
      .reduce((sum, step) => sum + step.rows, 0);
    return Math.round((rows / (now - since)) * 1000);
  }

  /** A run begins. */
  start(): void {
    this.#steps = [];
    this.#startedAt = performance.now();
    this.#dueAt = this.#startedAt;
  }

  set(limit: number | null): void {
    this.#limit = limit;
    this.#dueAt = performance.now();
  }

  /** Says that rows were copied, and waits until more may be. @throws the signal's reason */
  async after(rows: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    this.#steps = [...this.#steps.filter(({ at }) => at > now - WINDOW_MS), { at: now, rows }];
    if (this.#limit === null) return;
    this.#dueAt = Math.max(this.#dueAt, now - GRACE_MS) + (rows / this.#limit) * 1000;
    for (;;) {
      const rest = this.#dueAt - performance.now();
      if (rest <= 0) return;
      await delay(Math.min(rest, LOOK_MS), undefined, { signal });
    }
  }
}
