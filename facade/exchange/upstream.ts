import type { Dispatcher } from 'undici';
import { Connections } from './connections.ts';
import type { Exchange } from './connections.ts';

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
}

/** One server behind the facade, and the connections to it. */
export class Upstream implements Sender {
  readonly name: string;
  readonly url: string;
  /** What stands before each path. */
  readonly prefix: string;
  readonly secure: boolean;
  /** Where it listens, as node's own client takes it. */
  readonly location: { readonly host: string; readonly port: string };
  readonly #connections: Connections;

  /** @param connections how many requests may be under way at once */
  constructor(name: string, url: string, connections: number) {
    const { origin, pathname, protocol, hostname, port } = new URL(url);
    this.name = name;
    this.url = url.replace(/\/+$/, '');
    this.prefix = pathname.replace(/\/+$/, '');
    this.secure = protocol === 'https:';
    this.location = { host: hostname.replace(/^\[|\]$/g, ''), port };
    this.#connections = new Connections(origin, connections, {
      pipelining: 1,
      connect: { timeout: CONNECT_TIMEOUT_MS },
      // Deadlines are the facade's own: they span all tries of a request.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
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

  /** Nothing new is sent to it; what is under way is finished. */
  retire(): void {
    this.#connections.retire();
  }

  close(): Promise<void> {
    return this.#connections.close();
  }
}
