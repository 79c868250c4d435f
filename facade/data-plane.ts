import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, traceIdOf } from '../chassis/index.ts';
import type { Core, Limits, VisitResponse } from './exchange/index.ts';
import { Deadlines } from './request/index.ts';
import { decide } from './decision/index.ts';
import type { Question } from './decision/index.ts';
import {
  createUpgrader,
  passOn,
  read,
  refuseRaw,
  sendProblem,
  Slots,
  Visit,
  Writing,
} from './exchange/index.ts';
import type { RequestReader } from './request/index.ts';

const HEADER_BYTES = 16_384;
const CONNECTIONS_CHECK_MS = 1_000;
/** Longer than the usual client's, so that it is not the facade that closes under a request. */
const KEEP_ALIVE_MS = 72_000;
/** Shares of requests are exact to one in so many. */
const DRAWS = 10_000;
/** How many writes that were held are sent at a time. */
const RELEASE_WIDTH = 64;

/** Under this name a connection knows the last answer that was begun on it. */
const LAST = Symbol('last');

class VisitedResponse extends ServerResponse implements VisitResponse {
  visit: Visit | undefined;
  awaitsContinue = false;
}

/** One configuration, ready to decide and to send. */
export interface Plane {
  readonly core: Core;
  readonly reader: RequestReader;
}

/** The server that clients talk to. */
export interface DataPlane {
  readonly server: Server;
  /** Takes new requests another way from now on; those under way go on as they began. */
  adopt(plane: Plane): void;
}

/** What follows from one configuration. */
interface Ways extends Plane, Limits {
  readonly upgrade: ReturnType<typeof createUpgrader>;
}

/** Makes the server; it does not listen yet. */
export function createDataPlane(first: Plane): DataPlane {
  const { counters, log } = first.core;
  const { headersMs } = first.core.limits;
  const slots = new Slots(RELEASE_WIDTH);
  let ways = waysOf(first);
  let draws = 0;

  const onOver = (visit: Visit): void => {
    counters.inFlight -= 1;
    const { decision } = visit;
    const changed = decision.kind === 'write' ? decision.changes[0] : decision.capability;
    counters.answered(changed, visit.answerer, visit.status, performance.now() - visit.startedAt);
  };

  function receive(req: IncomingMessage, res: VisitedResponse): void {
    const { core, reader } = ways;
    const form = reader.read(req);
    draws = (draws + 1) % DRAWS;
    const question: Question = {
      method: form.method,
      path: form.path,
      customer: form.customer,
      keys: form.keys,
      draw: `${draws}`,
    };
    const decision = decide(question, core.circumstances);
    const guest = new Visit(req, res, form, decision, ways);
    guest.onOver = onOver;
    counters.inFlight += 1;
    res.visit = guest;
    res.on('close', leave);
    if (decision.kind === 'pass') passOn(guest, core);
    else if (decision.kind === 'read') read(guest, decision, core);
    else new Writing(guest, decision, core, slots).start((error) => fail(guest, error));
  }

  function fail(guest: Visit, error: unknown): void {
    log.error({ err: error, path: guest.form.path }, 'a request failed in the facade');
    if (guest.res.headersSent) guest.cut();
    else guest.refuse(new Problem(502, 'facade_failed', 'the facade failed; see its log'));
  }

  function answer(req: IncomingMessage, res: VisitedResponse): void {
    (req.socket as Connection)[LAST] = res;
    try {
      receive(req, res);
    } catch (error) {
      refuse(req, res, error);
    }
  }

  function refuse(req: IncomingMessage, res: VisitedResponse, error: unknown): void {
    if (res.visit) {
      fail(res.visit, error);
      return;
    }
    const known = error instanceof Problem;
    if (!known) log.error({ err: error }, 'a request failed in the facade');
    const problem = known
      ? error
      : new Problem(502, 'facade_failed', 'the facade failed; see its log');
    counters.answered(undefined, 'facade', problem.status, 0);
    sendProblem(req, res, problem, traceIdOf(String(req.headers['traceparent'])));
  }

  const server = createServer(
    {
      ServerResponse: VisitedResponse,
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, headersMs / 2),
      highWaterMark: 65_536,
    },
    answer,
  );
  server.on('checkContinue', (req, res: VisitedResponse) => {
    res.awaitsContinue = true;
    answer(req, res);
  });
  server.on('upgrade', (req, socket, head) => ways.upgrade(req, socket, head));
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    refuseRaw(socket, new Problem(405, 'method_not_allowed', 'CONNECT is not allowed'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else breakOff(socket, malformed(error.code));
  });

  function waysOf({ core, reader }: Plane): Ways {
    const { requestMs, attemptMs = requestMs } = core.limits;
    return {
      core,
      reader,
      deadlines: new Deadlines(requestMs),
      tryDeadlines: attemptMs < requestMs ? new Deadlines(attemptMs) : undefined,
      upgrade: createUpgrader({
        monolithUrl: core.monolith.url,
        reader,
        log,
        goOn: (socket) => server.emit('connection', socket),
      }),
    };
  }

  return {
    server: server as unknown as Server,
    adopt(plane) {
      ways = waysOf(plane);
    },
  };
}

interface Connection extends Duplex {
  [LAST]?: VisitedResponse;
}

/** What came cannot be read any further. Answers are given in order all the same. */
function breakOff(socket: Connection, problem: Problem): void {
  const last = socket[LAST];
  if (!last) {
    refuseRaw(socket, problem);
  } else if (last.req.complete) {
    // What is wrong came after a whole request, whose answer goes first.
    if (last.writableFinished) refuseRaw(socket, problem);
    else last.once('finish', () => refuseRaw(socket, problem));
  } else if (!last.headersSent && last.visit) {
    const { underWay } = last.visit;
    last.visit.refuse(problem);
    underWay?.cancel();
  } else {
    // It is answered already; nothing more can follow.
    if (last.writableFinished) socket.end();
    else last.once('finish', () => socket.end());
  }
}

function leave(this: ServerResponse): void {
  (this as VisitedResponse).visit?.gone();
}

/** What node's parser refused. */
function malformed(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'headers_too_large', `the headers are over ${HEADER_BYTES} bytes`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request_timeout', 'the request took too long to arrive');
    default:
      return new Problem(400, 'malformed_request', 'this is not a well-formed HTTP/1.1 request');
  }
}
