import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemBody, traceparentOf } from '../../chassis/index.ts';
import type { Problem, TraceParent } from '../../chassis/index.ts';
import { UpstreamTimedOut } from '../counting/index.ts';
import type { Answerer, Counters } from '../counting/index.ts';
import { countedFor } from '../match/index.ts';
import type { Match, Routes } from '../match/index.ts';
import type { Deadlines, Identity, RequestForm, Timed } from '../request/index.ts';
import { NoRoom } from '../upstream/index.ts';
import type { Idling } from '../upstream/index.ts';
import type { AnswerFilter } from './answer-filter.ts';
import { lingerAfter } from './lingering.ts';
import { beginRequestSpan, endRequestSpan } from './request-span.ts';
import { heldTooLong, requestTimeout, upstreamBusy, upstreamTimeout } from './refusals.ts';

/** More early hints than that are not passed on. */
const MOST_HINTS = 64;
const HINTS_UNREAD_BYTES = 16_384;
/** Bytes per second; a client that moves less keeps nothing that others wait for. */
const SLOWEST = 500;

/** What stands between a client and its answer, and can be called off. */
export interface Cancellable {
  /** @param fault what an upstream has done, or has not, where that is why */
  cancel(fault?: Error): void;
  /** Whether it waits for a connection. */
  readonly isWaiting?: boolean;
  /** Whether it waits for the owner, and nothing of it is with an upstream. */
  readonly isHeld?: boolean;
}

/**
 * Whoever must know of an answer before the client does. An object, not a function: V8 takes a
 * closure made for each request through the young generation, with all that hangs on it.
 */
export interface ResponseObserver {
  answering(context: RequestContext, status: number): void;
}

/** What the server makes for each request: it knows its request, and whether a client waits. */
export interface TrackedResponse extends ServerResponse {
  context: RequestContext | undefined;
  /** The client sends its body only when told to (RFC 9110 10.1.1). */
  awaitsContinue: boolean;
  /** The connection ends with this answer: what comes behind its request is not carried out. */
  isLast: boolean;
}

interface ContextDeps {
  readonly deadlines: Deadlines;
  readonly tryDeadlines: Deadlines | undefined;
  readonly counters: Counters;
  readonly routes: Pick<Routes, 'patternOf'>;
}

/** One client's request, from its headers to the last byte of its answer. */
export class RequestContext implements Timed {
  readonly req: IncomingMessage;
  readonly res: TrackedResponse;
  form: RequestForm;
  readonly match: Match;
  readonly startedAt: number;
  /** Undefined where callers are not known. */
  identity: Identity | undefined;
  /** Headers that the facade adds to the answer, of an upstream or its own: names and values in turn. */
  added: string[] | undefined;
  /** What the answer of an upstream passes before the client gets it. */
  filter: AnswerFilter | undefined;
  /** Its body, where that has been read already, since something else is sent on. */
  body: Buffer | undefined;
  /** Nothing more can be told to the client: it has its answer, or was cut off, or left. */
  over = false;
  /** What the client was told, and by whom; for the metrics. */
  status = 0;
  answerer: Answerer = 'monolith';
  /** What is under way for this request: a try at an upstream, or a wait. */
  underWay: Cancellable | undefined;
  /** When it was sent to an upstream last, for callers who are told. */
  sentAt = 0;
  heldMs = 0;
  /** Told once: before the client sees its answer, or when it will see none. */
  observer: ResponseObserver | undefined;

  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  #deadlines: Deadlines;
  readonly #counters: Counters;
  #unlimited = false;
  #hints = 0;
  #moved = 0;
  #movedBefore = 0;
  #lookedAt = 0;
  /** Whether it ended for want of its client. */
  slow = false;
  /** For each try, where one may not take as long as the whole. */
  readonly tryDeadlines: Deadlines | undefined;

  constructor(
    req: IncomingMessage,
    res: TrackedResponse,
    form: RequestForm,
    match: Match,
    { deadlines, tryDeadlines, counters, routes }: ContextDeps,
  ) {
    this.req = req;
    this.res = res;
    this.form = form;
    this.match = match;
    this.startedAt = performance.now();
    this.#deadlines = deadlines;
    this.tryDeadlines = tryDeadlines;
    this.#counters = counters;
    counters.inFlight += 1;
    deadlines.start(this, this.startedAt);
    const { span } = form.trace;
    if (span) beginRequestSpan(span, form, match, routes);
  }

  /** A client that asked first whether it may send its body is told to. */
  sendContinue(): void {
    if (!this.res.awaitsContinue) return;
    this.res.awaitsContinue = false;
    this.res.writeContinue();
  }

  /** Passes on what an upstream lets the client prepare for (RFC 8297). */
  hint(link: readonly string[]): void {
    if (this.over || this.res.headersSent || this.req.httpVersionMinor === 0) return;
    // They are advice: what is too much of it, or too much for the client, is left out.
    this.#hints += 1;
    const unread = this.res.socket?.writableLength ?? 0;
    if (this.#hints > MOST_HINTS || unread > HINTS_UNREAD_BYTES) return;
    try {
      this.res.writeEarlyHints({ link: [...link] });
    } catch {
      // Node understands less of the header than is allowed; the client can do without.
    }
  }

  /** How long an upstream has left, in ms. */
  get msLeft(): number {
    const left = Math.ceil(this.dueAt - performance.now());
    return Math.max(1, Math.min(left, this.tryDeadlines?.limitMs ?? left));
  }

  /** Adds a header to the answer, whichever server gives it; the same line once. */
  add(name: string, value: string): void {
    const added = (this.added ??= []);
    const isThere = added.some((each, at) => each === name && added[at + 1] === value);
    if (!isThere) added.push(name, value);
  }

  /** Passes on the head of the answer. */
  begin(status: number, reason: string, headers: string[]): void {
    this.#tell(status);
    if (isUnread(this.req)) {
      headers.push('connection', 'close');
      this.res.isLast = true;
      lingerAfter(this.req);
    }
    if (this.added) headers.push(...this.added);
    if (this.form.timed) headers.push('server-timing', this.#timing());
    this.res.writeHead(status, reason, headers);
  }

  /** The connection speaks another protocol now. */
  switched(): void {
    this.#tell(101);
    this.#close();
    const { socket } = this.res;
    if (socket) this.res.detachSocket(socket);
  }

  /** The answer has been passed on. */
  finish(): void {
    this.#close();
  }

  /**
   * Answers by itself.
   * @param fields names and values in turn
   * @param body undefined for a status that has none
   */
  reply(status: number, fields: readonly string[], body: Buffer | undefined): void {
    this.answerer = 'facade';
    const length = body ? ['content-length', String(body.length)] : [];
    this.begin(status, STATUS_CODES[status] ?? '', [...fields, ...length, 'via', '1.1 fig']);
    this.res.end(this.form.method === 'HEAD' ? undefined : body);
    this.finish();
  }

  /** Refuses by itself. An unread body would be taken for the next request: the connection goes. */
  refuse(problem: Problem): void {
    if (this.over) return;
    this.answerer = 'facade';
    const instead = isForWantOfAnswer(problem) && this.filter?.insteadOf?.(problem.status);
    if (instead) {
      this.begin(instead.status, STATUS_CODES[instead.status] ?? '', [...instead.fields]);
      this.res.end(instead.body);
      this.finish();
      return;
    }
    this.#tell(problem.status);
    sendProblem(this.req, this.res, problem, this.form.trace, this.added);
    this.#close();
  }

  /** Ends a half-sent answer so that nobody can take it for a whole one. */
  cut(): void {
    if (this.over) return;
    const { socket } = this.res;
    // Its head may still wait for the body. Some clients send a request again that got no byte of an answer.
    if (this.res.headersSent) this.res.flushHeaders();
    // An HTTP/1.0 client takes a plain end for the end of the body.
    if (this.req.httpVersionMinor === 0) socket?.resetAndDestroy();
    else socket?.destroy();
    this.gone();
  }

  /** The client left. */
  gone(): void {
    if (this.over) return;
    this.#tell(499);
    this.#close();
    this.underWay?.cancel();
  }

  /** The deadline passed. */
  expire(): void {
    if (this.over) return;
    if (this.#waitsForClient()) {
      this.tooSlow();
      return;
    }
    const { underWay } = this;
    this.underWay = undefined;
    const isWaiting = underWay?.isWaiting === true;
    if (this.res.headersSent) this.cut();
    else if (isWaiting) this.refuse(upstreamBusy());
    else this.refuse(underWay?.isHeld === true ? heldTooLong() : upstreamTimeout());
    underWay?.cancel(
      isWaiting ? new NoRoom() : new UpstreamTimedOut('no answer, or nothing more of one, in time'),
    );
  }

  /** The address that the request came from, as far as proxies that are ours say it. */
  get client(): string {
    const { chain } = this.form;
    const comma = chain.indexOf(',');
    return comma === -1 ? chain : chain.slice(0, comma);
  }

  /** It is the client who does not send, or does not read. */
  tooSlow(): void {
    if (this.over) return;
    this.slow = true;
    const { underWay } = this;
    if (this.res.headersSent) this.cut();
    else this.refuse(requestTimeout());
    underWay?.cancel();
  }

  #waitsForClient(): boolean {
    const { req, res } = this;
    if (res.headersSent) return res.writableNeedDrain;
    return this.form.bodyBytes !== 0 && !req.complete && !req.isPaused() && !res.awaitsContinue;
  }

  /**
   * Why next to nothing has moved for a while, though that alone is no fault of an upstream: one that
   * takes its time with an answer has a deadline. Looks back to the last time it was asked this with
   * that much time in between.
   */
  idling(now: number, patienceMs: number): Idling | undefined {
    const waitsForClient = this.#waitsForClient();
    if (!waitsForClient && !this.#unlimited) return undefined;
    const ms = now - (this.#lookedAt || this.startedAt);
    if (ms < patienceMs) return undefined;
    const moved = this.#moved - this.#movedBefore;
    this.#lookedAt = now;
    this.#movedBefore = this.#moved;
    if (moved >= (SLOWEST * ms) / 1_000) return undefined;
    return waitsForClient ? 'held up' : 'silent';
  }

  /**
   * Starts the deadline anew: it is for the first byte, and then for each silence.
   * @param bytes that came from the client, or go to it
   */
  prolong(bytes = 0): void {
    this.#moved += bytes;
    if (!this.over && !this.#unlimited) this.#deadlines.start(this, performance.now());
  }

  /** From now on only silence has a deadline, and none that is to be expected. */
  answerBegins(isEventStream: boolean): void {
    if (isEventStream) this.liftDeadline();
    else this.prolong();
  }

  /** Has each silence of the answer from now on end by these. */
  timeBy(deadlines: Deadlines): void {
    this.#deadlines.stop(this);
    this.#deadlines = deadlines;
    if (!this.over) deadlines.start(this, performance.now());
  }

  /** Lifts the deadline; for answers that may be silent for as long as they like. */
  liftDeadline(): void {
    this.#unlimited = true;
    this.#deadlines.stop(this);
  }

  #timing(): string {
    const now = performance.now();
    const upstream = now - this.sentAt;
    const own = now - this.startedAt - upstream - this.heldMs;
    return [
      `facade;dur=${own.toFixed(3)}`,
      `upstream;desc="${this.answerer}";dur=${upstream.toFixed(3)}`,
      `held;dur=${this.heldMs.toFixed(3)}`,
    ].join(', ');
  }

  #tell(status: number): void {
    if (this.status === 0) this.status = status;
    const { observer } = this;
    this.observer = undefined;
    observer?.answering(this, status);
  }

  #close(): void {
    if (this.over) return;
    this.over = true;
    this.#deadlines.stop(this);
    const counters = this.#counters;
    counters.inFlight -= 1;
    if (this.slow) counters.slow += 1;
    const ms = performance.now() - this.startedAt;
    counters.answered(countedFor(this.match), this.answerer, this.status, ms);
    const { span } = this.form.trace;
    if (span) endRequestSpan(span, this);
  }
}

/** The headers of a request as one upstream gets them, with the caller's identity where that is known. */
export function headersFor(upstream: { readonly name: string }, context: RequestContext): string[] {
  const { identity, form } = context;
  return identity ? [...form.headers, ...identity.proofFor(upstream.name)] : form.headers;
}

/**
 * Answers with a problem that the facade itself has found.
 * @param added headers beside the problem's own, names and values in turn
 */
export function sendProblem(
  req: IncomingMessage,
  res: TrackedResponse,
  problem: Problem,
  trace: TraceParent,
  added: readonly string[] = [],
): void {
  const body = Buffer.from(JSON.stringify(problemBody(problem, trace.traceId)));
  const unread = isUnread(req);
  if (unread) lingerAfter(req);
  res.isLast ||= unread || isOld(req);
  // Node keeps the phrase of an answer that it has refused to send.
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': String(body.length),
    traceparent: traceparentOf(trace),
    via: '1.1 fig',
    ...problem.headers,
    ...(res.isLast ? { connection: 'close' } : {}),
  };
  res.writeHead(problem.status, STATUS_CODES[problem.status] ?? '', [
    ...Object.entries(headers).flat(),
    ...added,
  ]);
  res.end(req.method === 'HEAD' ? undefined : body);
}

/** Whether the upstream has failed, not the request, and not the facade. */
function isForWantOfAnswer({ code }: Problem): boolean {
  return code.startsWith('upstream_');
}

/** The rest of a request that has been answered would be taken for the next one. */
function isUnread({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** A version in which a connection serves one request, or of which nothing is known. */
function isOld({ httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean {
  return httpVersionMajor !== 1 || httpVersionMinor === 0;
}
