import { joined } from './observation.ts';
import type { Observation } from './observation.ts';
import { UpstreamTimedOut } from '../counting/index.ts';
import type { Exchange } from './exchange.ts';
import { Deadlines, isBodiless } from '../request/index.ts';
import type { RequestForm, Timed } from '../request/index.ts';
import type { Upstream } from './upstream.ts';

const LARGEST = 1_000_000;
const DEADLINE_MS = 5_000;
const deadlines = new Deadlines(DEADLINE_MS);

/** Who wants a whole answer. An object, not two functions: see ResponseObserver. */
export interface WholeListener {
  answered(whole: Observation): void;
  /** It failed, is larger than 1 MB, or has taken longer than 5 s. */
  failed(error: Error): void;
}

/** A request with a body that may be sent again, or none. */
export interface Repeatable {
  readonly form: Pick<RequestForm, 'method' | 'target' | 'headers'>;
  readonly body: Buffer | null;
}

/** An answer of more bytes than are kept, or read. */
export class TooLarge extends Error {}

/**
 * Asks an upstream what a client has asked, and tells the listener, once, what came of it.
 * @param more headers to add, names and values in turn
 */
export function fetchWhole(
  upstream: Upstream,
  { form: { method, target, headers }, body }: Repeatable,
  more: readonly string[],
  listener: WholeListener,
): void {
  const fetching = new WholeFetch(upstream, listener);
  deadlines.start(fetching, performance.now());
  upstream.dispatch(method, target, [...headers, ...more], body, fetching);
}

class WholeFetch implements Exchange, Timed {
  ticket = 0;
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  readonly #upstream: Upstream;
  readonly #listener: WholeListener;
  readonly #chunks: Buffer[] = [];
  #status = 0;
  #headers: readonly Buffer[] = [];
  #bytes = 0;
  #abort: ((error?: Error) => void) | undefined;
  #over = false;

  constructor(upstream: Upstream, listener: WholeListener) {
    this.#upstream = upstream;
    this.#listener = listener;
  }

  get calledOff(): boolean {
    return this.#over;
  }

  expire(): void {
    const late = new UpstreamTimedOut(`no answer in ${DEADLINE_MS} ms`);
    this.#upstream.failed(late, this);
    this.#fail(late);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#over) abort();
  }

  onHeaders(status: number, headers: readonly Buffer[]): boolean {
    if (status >= 200) this.#upstream.answered(status, this);
    this.#status = status;
    this.#headers = headers;
    // It is whole. undici would wait for as many bytes as a Content-Length beside it names.
    if (isBodiless(status)) this.onComplete();
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > LARGEST) this.#fail(new TooLarge(`an answer of more than ${LARGEST} bytes`));
    else this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    if (!this.#end()) return;
    this.#listener.answered({
      status: this.#status,
      headers: this.#headers,
      body: joined(this.#chunks),
    });
  }

  onError(error: Error): void {
    if (!this.#over) this.#upstream.failed(error, this);
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
    this.#upstream.left(this);
    return true;
  }
}
