import type { Socket } from 'node:net';
import type { Logger } from '../../chassis/index.ts';
import type { FigConfig } from '../../routing/index.ts';
import type { Counters } from '../counting/index.ts';

/** More than all the WebSockets that one address may have, since many clients may share one. */
const SOCKETS = 10_000;

interface ClientSocketsOptions {
  readonly counters: Pick<Counters, 'sockets' | 'socketsClosed'>;
  readonly log: Logger;
  /** How many of one address may be open; read at each new one. */
  readonly limit: () => number;
  /** When an idle connection was asked something last; null when never, undefined while it is in use. */
  readonly lastAsked: (socket: Socket) => number | null | undefined;
}

/** How many connections of one address may be open. Proxies of ours count their clients themselves. */
export function clientSocketLimit({
  limits,
  trustedHops,
}: Pick<FigConfig, 'limits' | 'trustedHops'>): number {
  return limits.clientSockets ?? (trustedHops > 0 ? Number.POSITIVE_INFINITY : SOCKETS);
}

/**
 * Keeps one address from holding all the file descriptors there are: at its limit, a new connection takes the
 * place of the one that has idled longest, and is refused where none is idle.
 */
export class ClientSockets {
  readonly #options: ClientSocketsOptions;
  /** By address; with each the time at which it was opened. */
  readonly #of = new Map<string, Map<Socket, number>>();

  constructor(options: ClientSocketsOptions) {
    this.#options = options;
  }

  add(socket: Socket): void {
    const { counters, log, limit } = this.#options;
    const { remoteAddress: address } = socket;
    // Gone already.
    if (address === undefined) return;
    const own = this.#of.get(address) ?? new Map<Socket, number>();
    // A socket whose Upgrade header was ignored is emitted as a new connection.
    if (own.has(socket)) return;
    while (own.size >= limit()) {
      const idle = this.#longestIdle(own);
      const reason = idle ? 'idle' : 'refused';
      counters.socketsClosed[reason] += 1;
      log.warn({ client: address, sockets: own.size, reason }, 'a client has too many connections');
      (idle ?? socket).destroy();
      if (!idle) return;
      own.delete(idle);
    }
    own.set(socket, performance.now());
    this.#of.set(address, own);
    counters.sockets += 1;
    socket.once('close', () => {
      counters.sockets -= 1;
      own.delete(socket);
      if (own.size === 0 && this.#of.get(address) === own) this.#of.delete(address);
    });
  }

  #longestIdle(sockets: ReadonlyMap<Socket, number>): Socket | undefined {
    let longest: Socket | undefined;
    let since = Number.POSITIVE_INFINITY;
    for (const [socket, openedAt] of sockets) {
      const askedAt = this.#options.lastAsked(socket);
      if (askedAt === undefined) continue;
      const idleSince = askedAt ?? openedAt;
      if (idleSince >= since) continue;
      longest = socket;
      since = idleSince;
    }
    return longest;
  }
}
