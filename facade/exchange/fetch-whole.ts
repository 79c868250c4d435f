import type { Observation } from './compare.ts';
import type { Exchange } from './connections.ts';
import { Deadlines } from '../request/index.ts';
import type { RequestForm, Timed } from '../request/index.ts';
import type { Upstream } from './upstream.ts';

const LARGEST = 1_000_000;
const DEADLINE_MS = 5_000;
const deadlines = new Deadlines(DEADLINE_MS);

/**
 * Asks an upstream what a client has asked, and reads the whole answer.
 * @param more headers to add, names and values in turn
 * @throws when it fails, is larger than 1 MB, or takes longer than 5 s
 */
export function fetchWhole(
  upstream: Upstream,
  { method, target, headers }: RequestForm,
  more: readonly string[],
): Promise<Observation> {
  return new Promise((resolve, reject) => {
    const fetching = new WholeFetch(resolve, reject);
    deadlines.start(fetching, performance.now());
    upstream.dispatch(method, target, [...headers, ...more], null, fetching);
  });
}

class WholeFetch implements Exchange, Timed {
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  readonly #resolve: (whole: Observation) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #bytes = 0;
  #abort: ((error?: Error) => void) | undefined;
  #over = false;

  constructor(resolve: (whole: Observation) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get calledOff(): boolean {
    return this.#over;
  }

  expire(): void {
    this.#fail(new Error(`no answer in ${DEADLINE_MS} ms`));
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#over) abort();
  }

  onHeaders(status: number): boolean {
    this.#status = status;
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > LARGEST) this.#fail(new Error(`an answer of more than ${LARGEST} bytes`));
    else this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    if (!this.#end()) return;
    const [first] = this.#chunks;
    const body = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, body });
  }

  onError(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (!this.#end()) return;
    this.#reject(error);
    this.#abort?.(error);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    deadlines.stop(this);
    return true;
  }
}
