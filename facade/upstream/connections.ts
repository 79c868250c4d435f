import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import type { Dispatcher } from 'undici';
import type { Exchange } from './exchange.ts';
import { readOnAfterWriteErrors } from './late-answer.ts';
import { WaitingLine } from './waiting-line.ts';
import { WithoutContinue } from './without-continue.ts';

/** There is no connection for a request, and no room to wait for one. */
export class NoRoom extends Error {
  readonly code = 'FIG_CROWDED';

  constructor() {
    super(
      'as many requests are under way, and wait, as limits.connections and limits.waiting allow',
    );
  }
}

/** How many may share the connections to one server, and for how long. */
export interface ConnectionLimits {
  /** Requests beyond that many at once wait their turn. */
  readonly connections: number;
  /** How many of one client's address may be under way while there are others. */
  readonly clientConnections: number;
  /** How many requests may wait. */
  readonly waiting: number;
  /** How many event streams may go on beside those connections, and how many of one client's address. */
  readonly streams: number;
  readonly clientStreams: number;
  /** How long a client may keep a connection that others wait for, in ms, before it has to go on. */
  readonly patienceMs: number;
  /** How long it may take until a connection is there, in ms. */
  readonly connectMs: number;
}

/** While requests wait, idle exchanges are looked for so often within `patienceMs`. */
const LOOKS = 5;

/**
 * Connections to one server, each with one request at a time. The last one used is used next, so
 * that the rest may idle and close, and finding one costs nothing however many there are: undici's
 * own pool asks each of them.
 */
export class Connections {
  readonly #connect: () => Connection;
  readonly #limits: ConnectionLimits;
  /** Those that count. */
  readonly #all = new Set<Connection>();
  /** Those of event streams that were silent while others waited. */
  readonly #aside = new Set<Connection>();
  readonly #line: WaitingLine;
  #free: Connection[] = [];
  #looking: NodeJS.Timeout | undefined;
  #retired = false;
  #closed: Error | undefined;

  constructor(origin: string, limits: ConnectionLimits, options: Client.Options) {
    this.#connect = () => new Connection(origin, options);
    this.#limits = limits;
    this.#line = new WaitingLine(limits.waiting);
  }

  dispatch(request: Dispatcher.DispatchOptions, exchange: Exchange): void {
    const connection = this.#mayGo(exchange) ? (this.#free.pop() ?? this.#open()) : undefined;
    if (connection) connection.dispatch(request, exchange, this);
    else if (this.#closed) exchange.onError(this.#closed);
    else if (this.#line.join({ request, exchange })) this.#lookForIdle();
    else exchange.onError(new NoRoom());
  }

  /** How many requests are under way, or wait. */
  get load(): number {
    return this.#all.size - this.#free.length + this.#line.length;
  }

  /** Whether nothing is open to it, and nothing waits. */
  get isIdle(): boolean {
    return this.#all.size + this.#aside.size + this.#line.length === 0;
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#line.length;
  }

  /** Counts only once one client could have too many: until then it costs nothing. */
  #mayGo({ client }: Exchange): boolean {
    const { clientConnections } = this.#limits;
    if (client === undefined || this.#all.size - this.#free.length < clientConnections) return true;
    return countOf(this.#all, client) < clientConnections;
  }

  /** Every fifth of `patienceMs`, frees connections whose client is stalled, and sets silent event streams aside. */
  #lookForIdle(): void {
    if (this.#looking) return;
    const { patienceMs } = this.#limits;
    const look = (): void => {
      let wanted = this.#line.length;
      const now = performance.now();
      for (const connection of this.#all) {
        if (wanted === 0) break;
        switch (connection.exchange?.idling?.(now, patienceMs)) {
          case 'held up':
            connection.exchange.giveWay?.();
            wanted -= 1;
            break;
          case 'silent':
            if (this.#setAside(connection)) wanted -= 1;
            break;
          case undefined:
        }
      }
      if (this.#line.length > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    };
    this.#looking = setInterval(look, patienceMs / LOOKS).unref();
    look();
  }

  /**
   * An event stream that has nothing to tell costs its server next to nothing, and may last for days:
   * it goes on, and the next request in line gets its place.
   */
  #setAside(connection: Connection): boolean {
    const { streams, clientStreams } = this.#limits;
    const client = connection.exchange?.client;
    if (this.#aside.size >= streams) return false;
    if (client !== undefined && countOf(this.#aside, client) >= clientStreams) return false;
    this.#all.delete(connection);
    this.#aside.add(connection);
    const next = this.#line.next((each) => this.#mayGo(each));
    const free = next && (this.#free.pop() ?? this.#open());
    if (next && free) free.dispatch(next.request, next.exchange, this);
    return true;
  }

  #open(): Connection | undefined {
    if (this.#all.size >= this.#limits.connections || this.#closed) return undefined;
    const connection = this.#connect();
    this.#all.add(connection);
    return connection;
  }

  /** A request is over, one way or the other. */
  release(connection: Connection): void {
    if (this.#closed) return;
    if (this.#aside.delete(connection)) {
      this.#drop(connection);
      return;
    }
    const next = this.#line.length > 0 ? this.#line.next((each) => this.#mayGo(each)) : undefined;
    if (next) connection.dispatch(next.request, next.exchange, this);
    else if (this.#retired) this.#drop(connection);
    else this.#free.push(connection);
  }

  #drop(connection: Connection): void {
    this.#all.delete(connection);
    void connection.client.close();
  }

  /** Whatever waits for a connection fails. */
  turnAway(error: Error): void {
    for (const { exchange } of this.#line.clear()) exchange.onError(error);
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
    clearInterval(this.#looking);
    this.turnAway(closed);
    const open = [...this.#all, ...this.#aside];
    await Promise.all(open.map(({ client }) => client.destroy()));
  }
}

function countOf(connections: Iterable<Connection>, client: string): number {
  let count = 0;
  for (const { exchange } of connections) if (exchange?.client === client) count += 1;
  return count;
}

/** One undici client: a connection that comes back by itself when it was lost. */
class Connection {
  readonly client: Client;
  /** What it serves right now. */
  exchange: Exchange | undefined;
  /** Exchanges since it was connected last. */
  served = 0;

  /** Whether an answer is to come, or has only been announced. */
  awaitsHead = false;
  readonly #withoutContinue = new WithoutContinue();

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
      if (this.awaitsHead && chunk !== null) this.#withoutContinue.pass(chunk as Buffer);
      return chunk;
    };
  }

  dispatch(
    request: Dispatcher.DispatchOptions,
    exchange: Exchange,
    connections: Connections,
  ): void {
    this.awaitsHead = true;
    this.#withoutContinue.reset();
    this.exchange = exchange;
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
    this.#connection.exchange = undefined;
    this.#connections.release(this.#connection);
  }
}
