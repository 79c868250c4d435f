import type { SideName } from '../../routing/index.ts';

/** Upper bounds of latency buckets, in seconds; what is above the last goes into one more. */
export const BUCKETS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
const STATUSES = 600;
/** Who answered; `facade` where no upstream did. */
export type Answerer = SideName | 'monolith' | 'facade';
export const ANSWERERS: readonly Answerer[] = ['legacy', 'extracted', 'monolith', 'facade'];

/**
 * What happened, counted in plain arrays: a request costs a few additions, and names and labels
 * are put together only for a scrape or a status. A counter and a histogram of prom-client take fifty times as
 * long for each request.
 */
export class Counters {
  /** One row for what belongs to no capability, then one for each, by its index. */
  readonly rows: string[] = [];
  held = new Float64Array(0);
  fenced = new Float64Array(0);
  heldNow = new Float64Array(0);
  retried = new Float64Array(0);
  /** Reads that the owner answered since the breaker of the other side was open. */
  fellBack = new Float64Array(0);
  inFlight = 0;
  /** Requests that ended because their clients did not go on. */
  slow = 0;
  /** Wishes for a WebSocket that are not answered yet. */
  upgrading = 0;
  /** Connections that are WebSockets right now. */
  upgraded = 0;
  /** Both of these, by the client's address. */
  readonly upgradesOf = new Map<string, number>();
  /** Connections of clients that are open right now. */
  sockets = 0;
  /** Connections that were closed since their client's address had too many, by what they were. */
  readonly socketsClosed = { idle: 0, refused: 0 };
  /** Requests that were refused since their client was over a limit, by the limit's name. */
  readonly limited = new Map<string, number>();
  /** Requests by the version of the interface that their path names, where there are several. */
  readonly versions = new Map<string, number>();
  /** Requests whose answer may be kept, by what came of that. */
  readonly cached = new Map<string, number>();
  /** Whether requests are counted together with other processes; undefined where none are limited. */
  limitsAreShared: (() => boolean) | undefined;
  /** Of the bodies of all writes that wait right now. */
  heldBytes = 0;
  #requests = new Float64Array(0);
  #latency = new Float64Array(0);
  #latencySum = new Float64Array(0);

  constructor(capabilities: readonly { readonly name: string; readonly index: number }[] = []) {
    this.adopt(capabilities);
  }

  /** Makes room for more; what was counted stays. */
  adopt(capabilities: readonly { readonly name: string; readonly index: number }[]): void {
    this.rows[0] = '';
    for (const { name, index } of capabilities) this.rows[index + 1] = name;
    const { length } = this.rows;
    this.held = grown(this.held, length);
    this.fenced = grown(this.fenced, length);
    this.heldNow = grown(this.heldNow, length);
    this.retried = grown(this.retried, length);
    this.fellBack = grown(this.fellBack, length);
    this.#requests = grown(this.#requests, length * ANSWERERS.length * STATUSES);
    this.#latency = grown(this.#latency, length * ANSWERERS.length * (BUCKETS.length + 1));
    this.#latencySum = grown(this.#latencySum, length * ANSWERERS.length);
  }

  /**
   * Counts one answer.
   * @param ms from the request's head to the answer's end
   */
  answered(
    capability: { readonly index: number } | undefined,
    answerer: Answerer,
    status: number,
    ms: number,
  ): void {
    const cell = rowOf(capability) * ANSWERERS.length + ANSWERERS.indexOf(answerer);
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

/** The row of a capability, or of what belongs to none. */
export function rowOf(capability: { readonly index: number } | undefined): number {
  return capability === undefined ? 0 : capability.index + 1;
}

/** Adds one to a counter of a capability. */
export function bump(
  counter: Float64Array,
  capability: { readonly index: number } | undefined,
  by = 1,
): void {
  const row = rowOf(capability);
  counter[row] = (counter[row] as number) + by;
}

function grown(values: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(Math.max(length, values.length));
  longer.set(values);
  return longer;
}
