import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Express } from 'express';
import { letConnectionsGo } from './draining.ts';
import { ConfigurationError } from './env.ts';

/**
 * A server for an Express app whose requests and responses are born with Express's prototypes.
 * Express swaps the prototype of each one otherwise, which costs most of its throughput
 * (expressjs/express#5998).
 */
export function createExpressServer(app: Express): Server {
  const server = createServer(
    {
      IncomingMessage: born(IncomingMessage, app.request) as typeof IncomingMessage,
      ServerResponse: born(ServerResponse, app.response) as typeof ServerResponse,
    },
    app as RequestListener,
  );
  // All lines are read, and counted by the app: node drops what is over its limit without a word.
  server.maxHeadersCount = 0;
  return server;
}

function born(base: typeof IncomingMessage | typeof ServerResponse, prototype: object): unknown {
  // A function, not a class: a class's prototype property can't be set.
  function Born(this: object, ...parameters: unknown[]): void {
    (base as unknown as { apply(self: object, parameters: unknown[]): void }).apply(
      this,
      parameters,
    );
  }
  Born.prototype = prototype;
  return Born;
}

export interface Listening {
  /** The address that was bound, such as 127.0.0.1. */
  readonly address: string;
  readonly port: number;
  /** Stops accepting, lets requests under way finish, then cuts what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

interface ListenOptions {
  readonly port: number;
  readonly host: string;
  /** The variable that sets this port, for the error when it is taken. */
  readonly variable: string;
}

/**
 * Listens.
 * @throws ConfigurationError when the port is in use, naming port and variable
 */
export async function listen(server: Server, options: ListenOptions): Promise<Listening> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, options)));
    server.listen(options.port, options.host, resolve);
  });
  letConnectionsGo(server);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    close: (graceMs = 2_000) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function explain(error: NodeJS.ErrnoException, { port, host, variable }: ListenOptions): Error {
  if (error.code === 'EADDRINUSE') {
    return new ConfigurationError(
      `port ${port} on ${host} is in use; stop what listens there, or set ${variable} to another port (0 picks a free one)`,
    );
  }
  if (error.code === 'EACCES') {
    return new ConfigurationError(
      `port ${port} may not be opened by this user; set ${variable} to one above 1023`,
    );
  }
  return error;
}
