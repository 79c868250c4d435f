import { Client } from 'undici';
import type { Dispatcher } from 'undici';

/** What an answer is handed to, and who may have lost interest while the request waited. */
export interface Exchange extends Dispatcher.DispatchHandler {
  readonly calledOff: boolean;
}

interface Waiting {
  readonly request: Dispatcher.DispatchOptions;
  readonly exchange: Exchange;
}

/**
 * Connections to one server, each with one request at a time. The last one used is used next, so
 * that the rest may idle and close, and finding one costs nothing however many there are: undici's
 * own pool asks each of them.
 */
export class Connections {
  readonly #connect: () => Client;
  readonly #most: number;
  readonly #all: Client[] = [];
  readonly #free: Client[] = [];
  #waiting: Waiting[] = [];
  #closed: Error | undefined;

  /** @param most requests beyond that many at once wait their turn */
  constructor(origin: string, most: number, options: Client.Options) {
    this.#connect = () => new Client(origin, options);
    this.#most = most;
  }

  dispatch(request: Dispatcher.DispatchOptions, exchange: Exchange): void {
    const client = this.#free.pop() ?? this.#open();
    if (client) client.dispatch(request, new Turn(exchange, client, this));
    else if (this.#closed) exchange.onError?.(this.#closed);
    else this.#waiting.push({ request, exchange });
  }

  #open(): Client | undefined {
    if (this.#all.length >= this.#most || this.#closed) return undefined;
    const client = this.#connect();
    this.#all.push(client);
    return client;
  }

  /** A request is over, one way or the other. */
  release(client: Client): void {
    const next = this.#nextWanted();
    if (next) client.dispatch(next.request, new Turn(next.exchange, client, this));
    else if (!this.#closed) this.#free.push(client);
  }

  #nextWanted(): Waiting | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next?.exchange.calledOff) return next;
    }
  }

  /** Cuts all connections; what is under way or waiting fails. */
  async close(): Promise<void> {
    this.#closed = new Error('the facade is closing');
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#free.length = 0;
    for (const { exchange } of waiting) exchange.onError?.(this.#closed);
    await Promise.all(this.#all.map((client) => client.destroy()));
  }
}

/** Gives the connection back when the exchange is over. */
class Turn implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #client: Client;
  readonly #connections: Connections;
  #over = false;

  constructor(exchange: Exchange, client: Client, connections: Connections) {
    this.#exchange = exchange;
    this.#client = client;
    this.#connections = connections;
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#exchange.onConnect?.(abort);
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void, reason: string): boolean {
    return this.#exchange.onHeaders?.(status, headers, resume, reason) ?? true;
  }

  onData(chunk: Buffer): boolean {
    return this.#exchange.onData?.(chunk) ?? true;
  }

  onComplete(trailers: string[] | null): void {
    this.#exchange.onComplete?.(trailers);
    this.#giveBack();
  }

  onError(error: Error): void {
    this.#exchange.onError?.(error);
    this.#giveBack();
  }

  #giveBack(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connections.release(this.#client);
  }
}
