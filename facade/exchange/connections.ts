import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Dispatcher } from 'undici';
import { readOnAfterWriteErrors } from './late-answer.ts';
import { withoutContinue } from './without-continue.ts';

/** What an answer is handed to, and who may have lost interest while the request waited. */
export interface Exchange {
  readonly calledOff: boolean;
  /**
   * The request is about to be sent.
   * @param reused whether the connection has served before: its server may just be closing it
   */
  onConnect(abort: (error?: Error) => void, reused: boolean): void;
  /** The first byte of an answer has come. */
  onResponseStarted?(): void;
  onHeaders(status: number, headers: Buffer[], resume: () => void, reason: string): boolean;
  /** @returns false to wait for `resume` */
  onData(chunk: Buffer): boolean;
  onComplete(trailers: readonly (string | Buffer)[] | null): void;
  onError(error: Error): void;
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
  readonly #connect: () => Connection;
  readonly #most: number;
  readonly #all = new Set<Connection>();
  #free: Connection[] = [];
  #waiting: Waiting[] = [];
  #retired = false;
  #closed: Error | undefined;

  /** @param most requests beyond that many at once wait their turn */
  constructor(origin: string, most: number, options: Client.Options) {
    this.#connect = () => new Connection(origin, options);
    this.#most = most;
  }

  dispatch(request: Dispatcher.DispatchOptions, exchange: Exchange): void {
    const connection = this.#free.pop() ?? this.#open();
    if (connection) connection.dispatch(request, exchange, this);
    else if (this.#closed) exchange.onError(this.#closed);
    else this.#waiting.push({ request, exchange });
  }

  #open(): Connection | undefined {
    if (this.#all.size >= this.#most || this.#closed) return undefined;
    const connection = this.#connect();
    this.#all.add(connection);
    return connection;
  }

  /** A request is over, one way or the other. */
  release(connection: Connection): void {
    const next = this.#nextWanted();
    if (next) connection.dispatch(next.request, next.exchange, this);
    else if (this.#retired) this.#drop(connection);
    else if (!this.#closed) this.#free.push(connection);
  }

  #nextWanted(): Waiting | undefined {
    for (;;) {
      const next = this.#waiting.shift();
      if (!next?.exchange.calledOff) return next;
    }
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection);
    void connection.client.close();
  }

  /** Closes each connection once it is idle; requests that still come are served. */
  retire(): void {
    this.#retired = true;
    const free = this.#free;
    this.#free = [];
    for (const connection of free) this.#drop(connection);
  }

  /** Cuts all connections; what is under way or waiting fails. */
  async close(): Promise<void> {
    const closed = new Error('the facade is closing');
    this.#closed = closed;
    this.#free = [];
    for (const { exchange } of this.#waiting.splice(0)) exchange.onError(closed);
    await Promise.all([...this.#all].map(({ client }) => client.destroy()));
  }
}

/** One undici client: a connection that comes back by itself when it was lost. */
class Connection {
  readonly client: Client;
  /** Exchanges since it was connected last. */
  served = 0;

  /** Whether an answer is to come, or has only been announced. */
  awaitsHead = false;

  constructor(origin: string, options: Client.Options) {
    const connector = buildConnector(options.connect as buildConnector.BuildOptions);
    this.client = new Client(origin, {
      ...options,
      connect: (target, done) => {
        connector(target, (...[error, socket]) => {
          if (error) {
            done(error, null);
            return;
          }
          this.#read(socket);
          done(null, socket);
        });
      },
    });
    this.client.on('connect', () => {
      this.served = 0;
    });
    // What an exchange throws would be the end of the process; its own client has been cut off.
    (this.client as EventEmitter).on('error', () => undefined);
  }

  /** undici takes a 100 Continue that nobody waits for as the end of the connection. */
  #read(socket: Socket): void {
    readOnAfterWriteErrors(socket, () => this.awaitsHead);
    const read = socket.read.bind(socket);
    socket.read = (size?: number): unknown => {
      const chunk: unknown = read(size);
      if (this.awaitsHead && chunk !== null) withoutContinue(chunk as Buffer);
      return chunk;
    };
  }

  dispatch(
    request: Dispatcher.DispatchOptions,
    exchange: Exchange,
    connections: Connections,
  ): void {
    this.awaitsHead = true;
    this.client.dispatch(request, new Turn(exchange, this, connections));
  }
}

/** Gives the connection back when the exchange is over. */
class Turn implements Dispatcher.DispatchHandler {
  readonly #exchange: Exchange;
  readonly #connection: Connection;
  readonly #connections: Connections;
  #over = false;

  constructor(exchange: Exchange, connection: Connection, connections: Connections) {
    this.#exchange = exchange;
    this.#connection = connection;
    this.#connections = connections;
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#exchange.onConnect(abort, this.#connection.served > 0);
  }

  onResponseStarted(): void {
    this.#exchange.onResponseStarted?.();
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void, reason: string): boolean {
    if (status >= 200) this.#connection.awaitsHead = false;
    return this.#exchange.onHeaders(status, headers, resume, reason);
  }

  onData(chunk: Buffer): boolean {
    return this.#exchange.onData(chunk);
  }

  onComplete(trailers: readonly string[] | null): void {
    this.#connection.served += 1;
    this.#exchange.onComplete(trailers);
    this.#giveBack();
  }

  onError(error: Error): void {
    try {
      this.#exchange.onError(error);
    } finally {
      this.#giveBack();
    }
  }

  #giveBack(): void {
    if (this.#over) return;
    this.#over = true;
    this.#connections.release(this.#connection);
  }
}
