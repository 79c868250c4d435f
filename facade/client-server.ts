import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { continueTrace, Problem } from '../chassis/index.ts';
import {
  ClientSockets,
  facadeFailed,
  failInFacade,
  headWithoutUpgrade,
  isLingering,
  linger,
  refuseRaw,
  requestTimeout,
  sendProblem,
  upgrade,
  RequestContext,
  wantsWebSocket,
} from './forward/index.ts';
import type { FacadeDeps, TrackedResponse } from './forward/index.ts';
import { admit } from './gateway/index.ts';

const HEADER_BYTES = 16_384;
const CONNECTIONS_CHECK_MS = 1_000;
/** Longer than the usual client's, so that it is not the facade that closes under a request. */
const KEEP_ALIVE_MS = 72_000;

/** A connection with more requests waiting than this is not read until some are answered. */
const MOST_WAITING = 32;

/** Under this name a connection knows the last answer that was begun on it, or waits to be. */
const LAST = Symbol('last');
/** Likewise the one that is on its way. */
const CURRENT = Symbol('current');
/** Likewise how many of its requests wait for the one before them. */
const WAITING = Symbol('waiting');
/** Likewise whether node's server has let go of it. */
const DETACHED = Symbol('detached');

class ContextResponse extends ServerResponse implements TrackedResponse {
  context: RequestContext | undefined;
  awaitsContinue = false;
  isLast = false;
  /** Why its request can't be read to the end, found while it waits. */
  broken: Problem | undefined;
}

/** The server that clients talk to. */
export interface ClientServer {
  readonly server: Server;
  /** Takes new requests another way from now on; those under way go on as they began. */
  adopt(deps: FacadeDeps): void;
}

/** Makes the server; it does not listen yet. */
export function createClientServer(first: FacadeDeps): ClientServer {
  const { counters, log } = first;
  const { headersMs } = first.limits;
  let deps = first;

  function enter(req: IncomingMessage, res: ContextResponse): RequestContext {
    const given = deps.reader.read(req);
    const form = deps.versions ? deps.versions.canonical(given) : given;
    const match = deps.routes.match(form.method, form.path);
    const context = new RequestContext(req, res, form, match, deps);
    res.context = context;
    res.on('close', leave);
    return context;
  }

  function receiveUpgrade(req: IncomingMessage, socket: Connection, head: Buffer): void {
    if (!wantsWebSocket(req)) {
      socket.unshift(Buffer.concat([headWithoutUpgrade(req), head]));
      socket[DETACHED] = false;
      server.emit('connection', socket);
      return;
    }
    const res = new ContextResponse(req);
    res.isLast = true;
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => {
      res.detachSocket(socket);
      linger(socket);
    });
    try {
      admit(enter(req, res), deps.guards, {
        proceed: (context) => {
          deps.versions?.checkUpgrade(context.form);
          upgrade(context, deps, socket, head);
        },
        refuse: (error) => refuse(req, res, error),
      });
    } catch (error) {
      refuse(req, res, error);
    }
  }

  function answer(req: IncomingMessage, res: ContextResponse): void {
    const socket = req.socket as Connection;
    const before = socket[LAST];
    socket[LAST] = res;
    if (before === undefined || (before.writableFinished && !before.isLast)) begin(req, res);
    else inTurn(socket, before, () => begin(req, res));
  }

  function begin(req: IncomingMessage, res: ContextResponse): void {
    (req.socket as Connection)[CURRENT] = res;
    try {
      if (res.broken) throw res.broken;
      const context = enter(req, res);
      const { guards } = deps;
      if (guards.length === 0) handle(context);
      else admit(context, guards, { proceed: handle, refuse: (error) => refuse(req, res, error) });
    } catch (error) {
      refuse(req, res, error);
    }
  }

  function handle(context: RequestContext): void {
    deps.handle(context, deps);
  }

  function refuse(req: IncomingMessage, res: ContextResponse, error: unknown): void {
    const known = error instanceof Problem;
    if (res.context) {
      if (known) res.context.refuse(error);
      else failInFacade(res.context, deps, error);
      return;
    }
    if (!known) log.error({ err: error }, 'a request failed in the facade');
    const problem = known ? error : facadeFailed();
    counters.answered(undefined, 'facade', problem.status, 0);
    sendProblem(req, res, problem, continueTrace(String(req.headers['traceparent'])));
  }

  const server = createServer(
    {
      ServerResponse: ContextResponse,
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, headersMs / 2),
      highWaterMark: 65_536,
    },
    answer,
  );
  // All lines are read, and counted by whoever reads the request: node drops what is over its limit.
  server.maxHeadersCount = 0;
  const sockets = new ClientSockets({
    counters,
    log,
    limit: () => deps.clientSockets,
    lastAsked,
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('checkContinue', (req, res: ContextResponse) => {
    res.awaitsContinue = true;
    answer(req, res);
  });
  server.on('upgrade', (req: IncomingMessage, socket: Connection, head: Buffer) => {
    detached(socket, () => receiveUpgrade(req, socket, head));
  });
  server.on('connect', (_req: IncomingMessage, socket: Connection) => {
    detached(socket, () =>
      refuseRaw(socket, new Problem(405, 'method_not_allowed', 'CONNECT is not allowed')),
    );
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (isLingering(socket)) return;
    if (error.code === 'ECONNRESET') socket.destroy();
    else breakOff(socket, malformed(error.code));
  });

  return {
    server: server as unknown as Server,
    adopt(next) {
      deps = next;
    },
  };
}

interface Connection extends Socket {
  [LAST]?: ContextResponse;
  [CURRENT]?: ContextResponse;
  [WAITING]?: number;
  [DETACHED]?: boolean;
}

/** When something was asked on an idle connection last; null when never, undefined while it is in use. */
function lastAsked(socket: Connection): number | null | undefined {
  const last = socket[LAST];
  if (socket[DETACHED]) return undefined;
  if (!last) return null;
  return last.writableFinished ? (last.context?.startedAt ?? null) : undefined;
}

/**
 * Pipelined requests are carried out one after the other, as their client wrote them down: what
 * stands behind one that was refused or cut off is not carried out at all.
 */
function inTurn(socket: Connection, before: ContextResponse, begin: () => void): void {
  const waiting = (socket[WAITING] ?? 0) + 1;
  socket[WAITING] = waiting;
  if (waiting === MOST_WAITING) socket.pause();
  const next = (): void => {
    const left = (socket[WAITING] ?? 1) - 1;
    socket[WAITING] = left;
    if (left === MOST_WAITING - 1) socket.resume();
    if (!before.isLast && !socket.destroyed) begin();
  };
  if (before.writableFinished) next();
  else before.once('close', next);
}

/** Begins when what was asked before is answered, on a connection that node has let go of. */
function detached(socket: Connection, begin: () => void): void {
  socket[DETACHED] = true;
  const before = socket[LAST];
  if (before === undefined || (before.writableFinished && !before.isLast)) {
    begin();
    return;
  }
  // Node no longer tells the answers that are under way of these.
  const drained = (): unknown => socket[CURRENT]?.emit('drain');
  const left = (): void => socket[CURRENT]?.context?.gone();
  socket.on('drain', drained).on('close', left).on('error', left);
  inTurn(socket, before, () => {
    socket.off('drain', drained).off('close', left).off('error', left);
    begin();
  });
}

/** What came cannot be read any further. Answers are given in order all the same. */
function breakOff(socket: Duplex & { [LAST]?: ContextResponse }, problem: Problem): void {
  const last = socket[LAST];
  if (!last) {
    refuseRaw(socket, problem);
  } else if (last.req.complete) {
    // What is wrong came after a whole request, whose answer goes first.
    if (last.writableFinished) refuseRaw(socket, problem);
    else last.once('finish', () => refuseRaw(socket, problem));
  } else if (!last.context && !last.headersSent) {
    last.broken = problem;
  } else if (!last.headersSent && last.context) {
    const { underWay } = last.context;
    last.context.refuse(problem);
    underWay?.cancel();
  } else {
    // It is answered already; nothing more can follow.
    if (last.writableFinished) socket.end();
    else last.once('finish', () => socket.end());
  }
}

function leave(this: ServerResponse): void {
  (this as ContextResponse).context?.gone();
}

/** What node's parser refused. */
function malformed(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'headers_too_large', `the headers are over ${HEADER_BYTES} bytes`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return requestTimeout();
    default:
      return new Problem(400, 'malformed_request', 'this is not a well-formed HTTP/1.1 request');
  }
}
