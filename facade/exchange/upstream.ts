import type { Dispatcher } from 'undici';
import { Connections } from './connections.ts';
import type { Exchange } from './connections.ts';

const CONNECT_TIMEOUT_MS = 2_000;

/** One server behind the facade, and the connections to it. */
export class Upstream {
  readonly name: string;
  readonly url: string;
  readonly #prefix: string;
  readonly #connections: Connections;

  /** @param connections how many requests may be under way at once */
  constructor(name: string, url: string, connections: number) {
    const { origin, pathname } = new URL(url);
    this.name = name;
    this.url = url.replace(/\/+$/, '');
    this.#prefix = pathname.replace(/\/+$/, '');
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
    protocol: string | null = null,
  ): void {
    this.#connections.dispatch(
      { method, path: this.#prefix + target, headers, body: body ?? null, upgrade: protocol },
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
