import { EventEmitter } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { TrackedResponse } from '../../forward/index.ts';

/** An answer that no client gets: it is kept, and told when it is whole. */
export interface Captured {
  readonly status: number;
  readonly body: Buffer;
}

/** Answers of parts are kept whole; a larger one is cut off. */
const MOST_BYTES = 1_000_000;

/** A request of the facade's own, which has no body and no connection. */
export function ownRequest(): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  req.complete = true;
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  return req;
}

/**
 * Takes the place of a client's response, with as much of it as forwarding uses.
 * @param done is called once: with the answer, or with nothing where it was cut off
 */
export function capturedResponse(done: (captured: Captured | undefined) => void): TrackedResponse {
  return new CapturedResponse(done) as unknown as TrackedResponse;
}

class CapturedResponse extends EventEmitter {
  context: undefined;
  awaitsContinue = false;
  isLast = false;
  headersSent = false;
  writableNeedDrain = false;
  readonly #done: (captured: Captured | undefined) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #over = false;
  /** `cut` destroys the connection of a client; here that ends the answer. */
  readonly socket = {
    writableLength: 0,
    destroy: () => this.#end(undefined),
    resetAndDestroy: () => this.#end(undefined),
    cork: () => undefined,
    uncork: () => undefined,
  };

  constructor(done: (captured: Captured | undefined) => void) {
    super();
    this.#done = done;
  }

  writeHead(status: number): this {
    this.#status = status;
    this.headersSent = true;
    return this;
  }

  write(chunk: Buffer | string, encoding: BufferEncoding = 'utf8'): boolean {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#bytes += bytes.length;
    if (this.#bytes > MOST_BYTES) this.#end(undefined);
    else this.#chunks.push(bytes);
    return true;
  }

  end(chunk?: Buffer | string): this {
    if (chunk !== undefined) this.write(chunk);
    this.#end({ status: this.#status, body: Buffer.concat(this.#chunks) });
    return this;
  }

  #end(captured: Captured | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(captured);
  }

  addTrailers(): void {}
  flushHeaders(): void {}
  writeContinue(): void {}
  writeEarlyHints(): void {}
}
