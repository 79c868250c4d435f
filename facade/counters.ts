import type { SideName } from '../strangler/routing/index.ts';

/** Upper bounds of latency buckets, in seconds; what is above the last goes into one more. */
export const BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const STATUSES = 600;
/** Answers that no upstream gave. */
export type Answerer = SideName | 'monolith' | 'facade';
export const ANSWERERS: readonly Answerer[] = ['legacy', 'extracted', 'monolith', 'facade'];

/**
 * What happened, counted in plain arrays: a request costs a few additions, and names and labels
 * are put together only when somebody asks.
 */
export class Counters {
  /** One row for each capability, and one for what belongs to none. */
  readonly rows: readonly string[];
  readonly held: Float64Array;
  readonly fenced: Float64Array;
  readonly heldNow: Float64Array;
  readonly retried: Float64Array;
  inFlight = 0;
  readonly #requests: Float64Array;
  readonly #latency: Float64Array;
  readonly #latencySum: Float64Array;

  constructor(capabilities: readonly string[]) {
    this.rows = [...capabilities, ''];
    const { length } = this.rows;
    this.held = new Float64Array(length);
    this.fenced = new Float64Array(length);
    this.heldNow = new Float64Array(length);
    this.retried = new Float64Array(length);
    this.#requests = new Float64Array(length * ANSWERERS.length * STATUSES);
    this.#latency = new Float64Array(length * ANSWERERS.length * (BUCKETS.length + 1));
    this.#latencySum = new Float64Array(length * ANSWERERS.length);
  }

  /** The row of what belongs to no capability. */
  get noCapability(): number {
    return this.rows.length - 1;
  }

  /** Counts one answer. `ms` is from the request's head to the answer's end. */
  answered(row: number, answerer: Answerer, status: number, ms: number): void {
    const cell = row * ANSWERERS.length + ANSWERERS.indexOf(answerer);
    const at = cell * STATUSES + (status < STATUSES ? status : 0);
    this.#requests[at] = (this.#requests[at] as number) + 1;
    const seconds = ms / 1_000;
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket += 1;
    const slot = cell * (BUCKETS.length + 1) + bucket;
    this.#latency[slot] = (this.#latency[slot] as number) + 1;
    this.#latencySum[cell] = (this.#latencySum[cell] as number) + seconds;
  }

  *requests(): Generator<{ capability: string; side: Answerer; status: number; count: number }> {
    for (const { row, column, cell } of this.#cells()) {
      for (let status = 0; status < STATUSES; status += 1) {
        const count = this.#requests[cell * STATUSES + status] as number;
        if (count === 0) continue;
        yield { capability: this.rows[row] as string, side: column, status, count };
      }
    }
  }

  *latencies(): Generator<{
    capability: string;
    side: Answerer;
    buckets: readonly number[];
    sum: number;
  }> {
    for (const { row, column, cell } of this.#cells()) {
      const from = cell * (BUCKETS.length + 1);
      const buckets = [...this.#latency.subarray(from, from + BUCKETS.length + 1)];
      if (buckets.every((count) => count === 0)) continue;
      const sum = this.#latencySum[cell] as number;
      yield { capability: this.rows[row] as string, side: column, buckets, sum };
    }
  }

  *#cells(): Generator<{ row: number; column: Answerer; cell: number }> {
    for (let row = 0; row < this.rows.length; row += 1) {
      for (const [index, column] of ANSWERERS.entries()) {
        yield { row, column, cell: row * ANSWERERS.length + index };
      }
    }
  }
}

/** Adds one to a counter of a row. */
export function bump(counter: Float64Array, row: number, by = 1): void {
  counter[row] = (counter[row] as number) + by;
}
