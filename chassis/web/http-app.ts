import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import express from 'express';
import type { ErrorRequestHandler, Express, Request, RequestHandler, Router } from 'express';
import { errorText } from '../error-text.ts';
import { refuseForeignPages, requireToken, tokenRequired } from '../access.ts';
import type { Access } from '../access.ts';
import { ACCESS } from '../caller.ts';
import { databaseTrouble } from '../database-trouble.ts';
import { isDraining } from '../draining.ts';
import type { Database } from '../database.ts';
import { audited, auditedRefusals } from './audited.ts';
import type { AuditOptions } from './audited.ts';
import { archiveRoutes } from './archive-routes.ts';
import { requireIdentity } from './callers.ts';
import { deadLetterFigure } from './dead-letter-figure.ts';
import { countsOf, deadLetterRoutes } from './dead-letter-routes.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { Outbox } from '../events/outbox.ts';
import { FencedError } from '../fence.ts';
import { createMetrics } from './metrics.ts';
import type { Figure } from './metrics.ts';
import { readFences } from '../fence-rows.ts';
import type { Logger } from '../log.ts';
import { fencedProblem, Problem, problemBody } from '../problem.ts';
import { currentTraceId, traceparentOf, withTrace } from '../trace.ts';
import { traceOf } from './server-span.ts';

/** The largest request body, in bytes. */
export const BODY_LIMIT = 1_000_000;
/** How many lines of headers a request may have. */
const MOST_HEADER_LINES = 1_000;

/**
 * One thing that must work before a process can serve; throws, or says false, when it does not. By `note` a check
 * that succeeds tells operators something all the same; `ageMs` is how old its fact is, in ms, where it did not find it just now.
 */
export type ReadinessCheck = () => Promise<
  boolean | { readonly note?: string; readonly ageMs?: number }
>;

interface HttpAppOptions {
  readonly name: string;
  /** Which build of the program this is, see `codeVersion`; `/livez` tells it. */
  readonly version?: string;
  readonly log: Logger;
  /** Which requests it answers. */
  readonly access: Access;
  /**
   * Set for a process whose routes only operators may use, except `/livez`, `/readyz` and `/metrics`.
   * Its answer to an unexpected error says what the error was; other processes only log it.
   */
  readonly operators?: {
    /** What a browser asks for that has no session yet. */
    readonly entrance?: Router;
    /** Whether a request without the token comes from a browser that was let in. */
    readonly isSession?: (req: IncomingMessage) => boolean;
    /** How orders are recorded; absent where none are. */
    readonly audit?: AuditOptions | undefined;
  };
  readonly routes: readonly Router[];
  /**
   * The database whose fences `/fences` lists. A facade asks there when neither engine nor Redis tells
   * it the owners. The route needs a token, because fences of cohorts name customers.
   */
  readonly fences?: Database;
  /**
   * What operators list and decide about under `/dead-letters`, with the operators' token; `/metrics`
   * counts it.
   */
  readonly deadLetters?: DeadLetters;
  /** Events that were published from this database: `/event-archive` lists them, for processes of the system. */
  readonly archive?: { readonly database: Database; readonly outbox: Outbox };
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>;
  /** What `/metrics` says besides requests and the process itself; null where one of `routes` serves it. */
  readonly figures?: readonly Figure[] | null;
}

/**
 * An Express app with what every process of ours serves: `/livez`, `/readyz`, `/metrics`, a trace for each
 * request, strict JSON bodies, problem+json for whatever goes wrong, and nothing for web pages of
 * other origins.
 */
export function createHttpApp(options: HttpAppOptions): Express {
  const { name, version, log, access, operators, routes, fences, readiness = {} } = options;
  const { deadLetters, archive, figures = [] } = options;
  const letters = deadLetters ? [deadLetterFigure(() => countsOf(deadLetters))] : [];
  const metrics = figures && createMetrics([...figures, ...letters]);
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set(ACCESS, access);
  app.use(traced(operators === undefined));
  if (metrics) app.use(metrics.measure);
  app.use(refuseTooManyLines);
  app.use(refuseForeignPages(access));
  app.get('/livez', (_req, res) => {
    res.json({ status: 'ok', name, version });
  });
  app.get('/readyz', async (req, res) => {
    const checks = await runChecks(readiness);
    const stopping = isDraining();
    // Reasons name addresses and files, which are for operators.
    const isOperator = access.token.accepts(req.headers.authorization);
    const ready = !stopping && Object.values(checks).every(({ ok }) => ok);
    const told = Object.entries(checks).map(([check, outcome]) => {
      const text = isOperator ? outcome.text : summary(outcome);
      const { ok, tookMs, ageMs } = outcome;
      const verbose = { ok, text, tookMs, ageMs };
      return [check, req.query['verbose'] === undefined ? text : verbose] as const;
    });
    const status = stopping ? 'stopping' : ready ? 'ok' : 'not ready';
    res.status(ready ? 200 : 503).json({ status, name, checks: Object.fromEntries(told) });
  });
  if (metrics) app.use(metrics.routes);
  if (operators) {
    if (operators.audit) app.use(auditedRefusals(operators.audit));
    if (operators.entrance) app.use(operators.entrance);
    app.use(requireToken(access, operators.isSession));
  }
  if (fences) {
    app.get('/fences', async (req, res) => {
      if (!access.token.accepts(req.headers.authorization, 'fences')) throw tokenRequired();
      res.json({ fences: await readFences(fences) });
    });
  }
  if (archive) app.use(archiveRoutes(access, archive));
  if (deadLetters) app.use(deadLetterRoutes(access, deadLetters));
  if (access.identity) app.use(requireIdentity(access, access.identity));
  app.use(express.json({ limit: BODY_LIMIT, strict: true, type: () => true, verify: checkBytes }));
  app.use(checkTexts);
  if (operators?.audit) app.use(audited(operators.audit));
  for (const router of routes) app.use(router);
  app.use((req) => {
    throw new Problem(404, 'no_such_route', `there is no ${req.method} ${req.path}`);
  });
  app.use(answerProblem(log, operators !== undefined));
  return app;
}

const refuseTooManyLines: RequestHandler = ({ rawHeaders }, _res, next) => {
  if (rawHeaders.length > 2 * MOST_HEADER_LINES) {
    const detail = `the headers are over ${MOST_HEADER_LINES} lines`;
    throw new Problem(431, 'headers_too_large', detail);
  }
  next();
};

/** Bytes that are no UTF-8 would be replaced without a word, and stored as something else. */
function checkBytes(_req: IncomingMessage, _res: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8' || isUtf8(body)) return;
  throw new Problem(400, 'malformed_json', 'the body is not JSON: it is not UTF-8');
}

/**
 * Half a surrogate pair, which JSON can escape, is no character: each database, and each driver, would
 * make something else of it.
 */
const checkTexts: RequestHandler = (req, _res, next) => {
  const broken = brokenIn(req.body, 'the body');
  if (broken !== undefined) {
    const detail = `${broken} holds half a surrogate pair (such as \\ud800), which is no character`;
    throw new Problem(400, 'malformed_json', detail);
  }
  next();
};

/** Where a text that is none is, if anywhere. Without recursion: bodies may be nested a million deep. */
function brokenIn(body: unknown, called: string): string | undefined {
  const left: [value: unknown, where: string][] = [[body, called]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [value, where] = next;
    if (typeof value === 'string' && !value.isWellFormed()) return where;
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, member] of Object.entries(value)) {
      if (!name.isWellFormed()) return where;
      left.push([member, name]);
    }
  }
  return undefined;
}

function traced(begins: boolean): RequestHandler {
  return (req, res, next) => {
    const trace = traceOf(req, res, begins);
    res.setHeader('traceparent', traceparentOf(trace));
    withTrace(trace, next);
  };
}

interface CheckOutcome {
  readonly ok: boolean;
  readonly text: string;
  /** Each check is made when it is asked for; this is how long it took. */
  readonly tookMs: number;
  /** Older than that only where it tells of something that was heard, not asked. */
  readonly ageMs: number;
}

function summary({ ok }: Pick<CheckOutcome, 'ok'>): string {
  return ok ? 'ok' : 'not ready';
}

async function runChecks(
  readiness: Readonly<Record<string, ReadinessCheck>>,
): Promise<Record<string, CheckOutcome>> {
  const outcomes = Object.entries(readiness).map(
    async ([check, run]) => [check, await outcomeOf(run)] as const,
  );
  return Object.fromEntries(await Promise.all(outcomes));
}

async function outcomeOf(run: ReadinessCheck): Promise<CheckOutcome> {
  const startedAt = performance.now();
  const { ok, text, ageMs = 0 } = await resultOf(run);
  return { ok, text, tookMs: Math.round(performance.now() - startedAt), ageMs };
}

async function resultOf(
  run: ReadinessCheck,
): Promise<Pick<CheckOutcome, 'ok' | 'text'> & Partial<Pick<CheckOutcome, 'ageMs'>>> {
  try {
    const outcome = await run();
    if (typeof outcome === 'boolean') return { ok: outcome, text: outcome ? 'ok' : 'not yet' };
    const { note, ageMs = 0 } = outcome;
    return { ok: true, text: note === undefined ? 'ok' : `ok, but ${note}`, ageMs };
  } catch (error) {
    return { ok: false, text: errorText(error) };
  }
}

interface BodyError {
  readonly type?: string;
  readonly message: string;
  /** What is to be told to the client, in the parser's eyes. */
  readonly status?: number;
  readonly expose?: boolean;
}

/** Body-parser's own errors, as ours. */
function bodyProblem(error: BodyError): Problem | undefined {
  switch (error.type) {
    case 'entity.parse.failed':
      return new Problem(400, 'malformed_json', `the body is not JSON: ${error.message}`);
    case 'entity.verify.failed':
      return new Problem(400, 'malformed_json', error.message);
    case 'entity.too.large':
      return new Problem(413, 'body_too_large', `the body is over ${BODY_LIMIT} bytes`);
    case 'request.aborted':
      return new Problem(400, 'request_aborted', 'the body ended early');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new Problem(415, 'unsupported_encoding', error.message);
    default:
      // What zlib says of a body that is not encoded as its Content-Encoding says has no type.
      return error.status === 400 && error.expose === true
        ? new Problem(400, 'malformed_json', `the body can't be decoded: ${error.message}`)
        : undefined;
  }
}

function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof FencedError) return fencedProblem(error);
  if (error instanceof URIError) {
    return new Problem(400, 'invalid_path', 'the path holds a malformed % sequence');
  }
  return bodyProblem(error as BodyError);
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What a client is told whose request met a database that is away. A write may have been committed
 * although its answer was lost; its key tells.
 */
function unavailable(req: Request, trouble: string): Problem {
  const key = req.get('idempotency-key');
  const outcome = SAFE.has(req.method)
    ? 'ask again'
    : key === undefined
      ? 'what became of this write is not known, and it came without an Idempotency-Key: look before you ' +
        'send it again'
      : `what became of this write is not known: send it again with the same Idempotency-Key ` +
        `${JSON.stringify(key)}, under which it takes effect once`;
  return new Problem(503, 'database_unavailable', `${trouble}; ${outcome}`, {
    headers: { 'retry-after': '1' },
  });
}

/**
 * Answers any error as problem+json. It logs an unexpected error, and answers it with 500.
 * @param telling whether the answer to an unexpected error says what the error was
 */
export function answerProblem(log: Logger, telling = false): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    let problem = toProblem(error);
    const trouble = problem ? undefined : databaseTrouble(error);
    if (trouble !== undefined) {
      log.error({ err: error, method: req.method, path: req.path }, trouble);
      problem = unavailable(req, trouble);
    }
    if (!problem) {
      log.error({ err: error, method: req.method, path: req.path }, 'request failed');
      const said = telling ? (error as Error).message : 'see the log';
      problem = new Problem(500, 'internal_error', `something unforeseen went wrong: ${said}`);
    }
    res
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problemBody(problem, currentTraceId())));
  };
}
