/** Requests and retries are remembered for so many seconds. */
const SECONDS = 10;

interface RetryBudgetOptions {
  /** The largest share of requests that may be sent again. */
  readonly share: number;
  /** So many are allowed in each second all the same. */
  readonly perSecond: number;
}

/**
 * Keeps retries from multiplying the load of a server that fails: as Finagle's RetryBudget, they are at most a
 * share of the requests of the last ten seconds, or a few each second, where that is more.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  readonly #requests = new Uint32Array(SECONDS);
  readonly #retries = new Uint32Array(SECONDS);
  #second = 0;

  constructor(options: RetryBudgetOptions) {
    this.#options = options;
  }

  /** A request is sent for the first time. */
  requested(now: number): void {
    this.#count(this.#requests, now);
  }

  /** @returns whether there is room for one more retry; it is then taken */
  take(now: number): boolean {
    const slot = this.#slotAt(now);
    const { share, perSecond } = this.#options;
    const isSpent = sum(this.#retries) + 1 > share * sum(this.#requests);
    if (isSpent && (this.#retries[slot] as number) >= perSecond) return false;
    this.#count(this.#retries, now);
    return true;
  }

  #count(counts: Uint32Array, now: number): void {
    const slot = this.#slotAt(now);
    counts[slot] = (counts[slot] as number) + 1;
  }

  /** Clears the seconds that have passed without a request. */
  #slotAt(now: number): number {
    const second = Math.floor(now / 1_000);
    const first = Math.max(this.#second + 1, second - SECONDS + 1);
    for (let passed = first; passed <= second; passed += 1) {
      this.#requests[passed % SECONDS] = 0;
      this.#retries[passed % SECONDS] = 0;
    }
    this.#second = Math.max(this.#second, second);
    return this.#second % SECONDS;
  }
}

function sum(counts: Uint32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
