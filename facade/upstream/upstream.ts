import type { Client, Dispatcher } from 'undici';
import { locate } from '../../chassis/index.ts';
import type { ServerLocation, ServerSettings } from '../../chassis/index.ts';
import { Connections } from './connections.ts';
import type { UpstreamFailures } from '../counting/index.ts';
import type { ConnectionLimits } from './connections.ts';
import { NoRoom } from './connections.ts';
import type { Exchange } from './exchange.ts';
import { askOnce } from './one-off.ts';
import { UpstreamIll } from './resilience.ts';
import type { Resilience, Verdict } from './resilience.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const SERVER_ERRORS = 500;

/** What takes a request to a server. */
export interface Sender {
  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void;
  /** The head of an answer has come. */
  answered(status: number, exchange: Exchange): void;
  /** An exchange with it came to nothing, or broke off. */
  failed(error: Error, exchange: Exchange): void;
  /** An exchange with it is over, whatever came of it. */
  left(exchange: Exchange): void;
}

/** One server behind the facade, and the connections to it. */
export class Upstream implements Sender {
  readonly name: string;
  readonly url: string;
  /** What stands before each path. */
  readonly prefix: string;
  readonly location: ServerLocation;
  readonly resilience: Resilience;
  readonly #options: Client.Options;
  readonly #failures: UpstreamFailures;
  readonly #connections: Connections;

  constructor(
    name: string,
    settings: ServerSettings,
    limits: ConnectionLimits,
    failures: UpstreamFailures,
    resilience: Resilience,
  ) {
    this.name = name;
    this.resilience = resilience;
    this.location = locate(settings);
    this.url = this.location.url;
    this.prefix = this.location.prefix;
    this.#options = {
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...this.location.connect },
      // Deadlines are the facade's own: they span all tries of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#failures = failures;
    this.#connections = new Connections(this.location.origin, limits, this.#options);
    const { breaker } = resilience;
    // What waits for a connection would only come to an ill server later.
    if (breaker) {
      breaker.onOpen = () => this.#connections.turnAway(new UpstreamIll(breaker.msLeft));
    }
  }

  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void {
    if (!this.admits(exchange)) return;
    this.#connections.dispatch(
      { method, path: this.prefix + target, headers, body: body ?? null },
      exchange,
    );
  }

  /** Whether its breaker lets an exchange through; one that it does not is told so. */
  admits(exchange: Exchange): boolean {
    const { breaker } = this.resilience;
    if (!breaker) return true;
    exchange.ticket = breaker.enter();
    if (exchange.ticket !== 0) return true;
    exchange.onError(new UpstreamIll(breaker.msLeft));
    return false;
  }

  /** How many requests wait for a connection to it. */
  get waiting(): number {
    return this.#connections.waiting;
  }

  answered(status: number, exchange: Exchange): void {
    this.#leave(exchange, status >= SERVER_ERRORS ? 'ill' : 'well');
  }

  failed(error: Error, exchange: Exchange): void {
    this.#failures.record(this.name, error);
    const wasSent = !(error instanceof NoRoom || error instanceof UpstreamIll);
    this.#leave(exchange, wasSent ? 'ill' : undefined);
  }

  left(exchange: Exchange): void {
    this.#leave(exchange, undefined);
  }

  #leave(exchange: Exchange, verdict: Verdict): void {
    const { ticket } = exchange;
    if (ticket === 0) return;
    exchange.ticket = 0;
    this.resilience.breaker?.leave(ticket, verdict);
  }

  /**
   * Asks whether it answers, on a connection of its own; any answer counts.
   * @returns why it does not; undefined when it does
   */
  trouble(): Promise<Error | undefined> {
    const asked = askOnce(this.location.origin, this.#options, 'HEAD', `${this.prefix}/`);
    return asked.then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  }

  /** What it answers to a GET of its own, beside all others. @throws Error when it does not */
  ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return askOnce(this.location.origin, this.#options, 'GET', this.prefix + path, headers);
  }

  /** Nothing new is sent to it; what is under way is finished. */
  retire(): void {
    this.#connections.retire();
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}
