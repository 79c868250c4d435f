import type { Observation } from './compare.ts';
import type { Exchange } from './connections.ts';
import { joined } from './body.ts';
import { Deadlines } from '../request/index.ts';
import type { RequestForm, Timed } from '../request/index.ts';
import type { Upstream } from './upstream.ts';

const LARGEST = 1_000_000;
const DEADLINE_MS = 5_000;
const deadlines = new Deadlines(DEADLINE_MS);

/** Who wants a whole answer. An object, not two functions: see Witness. */
export interface WholeListener {
  answered(whole: Observation): void;
  /** It failed, is larger than 1 MB, or has taken longer than 5 s. */
  failed(error: Error): void;
}

/**
 * Asks an upstream what a client has asked, and tells the listener, once, what came of it.
 * @param more headers to add, names and values in turn
 */
export function fetchWhole(
  upstream: Upstream,
  { method, target, headers }: RequestForm,
  more: readonly string[],
  listener: WholeListener,
): void {
  const fetching = new WholeFetch(listener);
  deadlines.start(fetching, performance.now());
  upstream.dispatch(method, target, [...headers, ...more], null, fetching);
}

class WholeFetch implements Exchange, Timed {
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  readonly #listener: WholeListener;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #bytes = 0;
  #abort: ((error?: Error) => void) | undefined;
  #over = false;

  constructor(listener: WholeListener) {
    this.#listener = listener;
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
    this.#listener.answered({ status: this.#status, body: joined(this.#chunks) });
  }

  onError(error: Error): void {
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (!this.#end()) return;
    this.#listener.failed(error);
    this.#abort?.(error);
  }

  #end(): boolean {
    if (this.#over) return false;
    this.#over = true;
    deadlines.stop(this);
    return true;
  }
}
