import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem } from '../chassis/index.ts';
import type { Core } from './core.ts';
import { Deadlines } from './deadlines.ts';
import { decide } from './decision.ts';
import type { Circumstances, Question } from './decision.ts';
import { passOn } from './passing.ts';
import { read } from './reading.ts';
import type { RequestReader } from './request-form.ts';
import { Slots } from './slots.ts';
import { traceIdOf } from './trace-ids.ts';
import { createUpgrader, refuseRaw } from './upgrades.ts';
import { sendProblem, Visit } from './visit.ts';
import { Writing } from './writing.ts';

const HEADER_BYTES = 16_384;
const HEADERS_TIMEOUT_MS = 10_000;
/** Longer than the usual client's, so that it is not the facade that closes under a request. */
const KEEP_ALIVE_MS = 72_000;
/** Shares of requests are exact to one in so many. */
const DRAWS = 10_000;
/** How many writes that were held are sent at a time. */
const RELEASE_WIDTH = 64;

/** A response that knows its visit: one listener function serves all of them. */
class VisitedResponse extends ServerResponse {
  visit: Visit | undefined;
}

/** The server that clients talk to. */
export function createDataPlane(core: Core, reader: RequestReader): Server {
  const deadlines = new Deadlines(core.limits.requestMs);
  const slots = new Slots(RELEASE_WIDTH);
  const circumstances = circumstancesOf(core);
  const { counters } = core;
  let draws = 0;

  const onOver = (visit: Visit): void => {
    counters.inFlight -= 1;
    const { decision } = visit;
    const changed = decision.kind === 'write' ? decision.changes[0] : decision.capability;
    const row = changed?.index ?? counters.noCapability;
    counters.answered(row, visit.answerer, visit.status, performance.now() - visit.startedAt);
  };

  function receive(req: IncomingMessage, res: VisitedResponse): void {
    const form = reader.read(req);
    draws = (draws + 1) % DRAWS;
    const question: Question = {
      method: form.method,
      path: form.path,
      customer: form.customer,
      draw: `${draws}`,
    };
    const decision = decide(question, circumstances);
    const guest = new Visit(req, res, form, decision, deadlines);
    guest.onOver = onOver;
    counters.inFlight += 1;
    res.visit = guest;
    res.on('close', leave);
    if (decision.kind === 'pass') passOn(guest, core);
    else if (decision.kind === 'read') read(guest, decision, core);
    else new Writing(guest, decision, core, slots).start((error) => fail(guest, error));
  }

  function fail(guest: Visit, error: unknown): void {
    core.log.error({ err: error, path: guest.form.path }, 'a request failed in the facade');
    if (guest.res.headersSent) guest.cut();
    else guest.refuse(new Problem(502, 'facade_failed', 'the facade failed; see its log'));
  }

  const server = createServer(
    {
      ServerResponse: VisitedResponse,
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1_000,
      highWaterMark: 65_536,
    },
    (req, res) => {
      try {
        receive(req, res);
      } catch (error) {
        refuse(req, res, error);
      }
    },
  );

  function refuse(req: IncomingMessage, res: VisitedResponse, error: unknown): void {
    const problem =
      error instanceof Problem
        ? error
        : new Problem(502, 'facade_failed', 'the facade failed; see its log');
    if (problem !== error) core.log.error({ err: error }, 'a request failed in the facade');
    if (res.visit) {
      fail(res.visit, error);
      return;
    }
    counters.answered(counters.noCapability, 'facade', problem.status, 0);
    sendProblem(req, res, problem, traceIdOf(String(req.headers['traceparent'])));
  }

  const upgrade = createUpgrader({
    monolithUrl: core.monolith.url,
    reader,
    log: core.log,
    goOn: (socket) => server.emit('connection', socket),
  });
  server.on('upgrade', upgrade);
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    refuseRaw(socket, new Problem(405, 'method_not_allowed', 'CONNECT is not allowed'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else refuseRaw(socket, malformed(error.code));
  });
  return server as unknown as Server;
}

function leave(this: ServerResponse): void {
  (this as VisitedResponse).visit?.gone();
}

function circumstancesOf({ routes, flags, book, notes }: Core): Circumstances {
  return {
    routes,
    flags,
    ownership: (capability) => book.of(capability),
    isSettled: (capability, customer) => notes[capability.index]?.isSettled(customer) ?? false,
  };
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
