import { readFileSync } from 'node:fs';
import type { Client, Dispatcher } from 'undici';
import type { UpstreamConfig } from '../../strangler/routing/index.ts';
import { Connections } from './connections.ts';
import type { UpstreamFailures } from '../counting/index.ts';
import type { ConnectionLimits } from './connections.ts';
import type { Exchange } from './exchange.ts';
import { askOnce } from './one-off.ts';

const CONNECT_TIMEOUT_MS = 2_000;

/** What takes a request to a server. */
export interface Sender {
  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void;
  /** An exchange with it came to nothing, or broke off. */
  failed(error: Error): void;
}

/** One server behind the facade, and the connections to it. */
export class Upstream implements Sender {
  readonly name: string;
  readonly url: string;
  /** What stands before each path. */
  readonly prefix: string;
  readonly secure: boolean;
  /** Where it listens, as node's own client takes it. */
  readonly location: {
    readonly host: string;
    readonly port: string;
    readonly socketPath?: string;
    readonly ca?: string;
  };
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #failures: UpstreamFailures;
  readonly #connections: Connections;

  constructor(
    name: string,
    { url, socket, ca }: UpstreamConfig,
    limits: ConnectionLimits,
    failures: UpstreamFailures,
  ) {
    const { origin, pathname, protocol, hostname, port } = new URL(url);
    this.name = name;
    this.url = url.replace(/\/+$/, '');
    this.prefix = pathname.replace(/\/+$/, '');
    this.secure = protocol === 'https:';
    const authorities = ca === undefined ? undefined : readFileSync(ca);
    this.location = {
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      ...(socket === undefined ? {} : { socketPath: socket }),
      ...(authorities === undefined ? {} : { ca: authorities.toString() }),
    };
    this.#options = {
      pipelining: 1,
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(socket === undefined ? {} : { socketPath: socket }),
        ...(authorities === undefined ? {} : { ca: authorities }),
      },
      // Deadlines are the facade's own: they span all tries of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#origin = origin;
    this.#failures = failures;
    this.#connections = new Connections(origin, limits, this.#options);
  }

  dispatch(
    method: string,
    target: string,
    headers: string[],
    body: Dispatcher.DispatchOptions['body'],
    exchange: Exchange,
  ): void {
    this.#connections.dispatch(
      { method, path: this.prefix + target, headers, body: body ?? null },
      exchange,
    );
  }

  /** How many requests wait for a connection to it. */
  get waiting(): number {
    return this.#connections.waiting;
  }

  failed(error: Error): void {
    this.#failures.record(this.name, error);
  }

  /**
   * Asks whether it answers, on a connection of its own; any answer counts.
   * @returns why it does not; undefined when it does
   */
  trouble(): Promise<Error | undefined> {
    const asked = askOnce(this.#origin, this.#options, 'HEAD', `${this.prefix}/`);
    return asked.then(
      () => undefined,
      (error: unknown) => error as Error,
    );
  }

  /** What it answers to a GET of its own, beside all others. @throws Error when it does not */
  ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return askOnce(this.#origin, this.#options, 'GET', this.prefix + path, headers);
  }

  /** Nothing new is sent to it; what is under way is finished. */
  retire(): void {
    this.#connections.retire();
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}
