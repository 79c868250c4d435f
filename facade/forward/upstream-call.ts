import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Problem } from '../../chassis/index.ts';
import { UpstreamTimedOut } from '../counting/index.ts';
import { NoRoom, UpstreamIll, joined } from '../upstream/index.ts';
import type { AnswerFilter } from './answer-filter.ts';
import { fencedAnswer, mayBeFenced, spanFacts } from './fenced-answer.ts';
import type { FencedAnswer } from './fenced-answer.ts';
import type { Deadlines, ResponseHeaders, Timed } from '../request/index.ts';
import {
  MalformedAnswer,
  TIMEOUT_AT,
  allowedTrailers,
  isBodiless,
  reasonPhrase,
  responseHeaders,
} from '../request/index.ts';
import type { Idling, Sender, UpgradeExchange } from '../upstream/index.ts';
import type { Cancellable, RequestContext } from './request-context.ts';

/** What came of one try. */
export type Outcome =
  /** The client has the whole answer. */
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** Names and values in turn; none where no copy was asked for. */
      readonly headers: readonly string[];
      /** Undefined where it was too large, or no copy was asked for. */
      readonly body: Buffer | undefined;
    }
  /** The side does not own the capability; nothing has happened, and the client knows nothing. */
  | { readonly kind: 'fenced'; readonly fence: FencedAnswer }
  | Failed
  /** The request ended before the answer did. */
  | { readonly kind: 'over' };

/** What ends the request. */
export type Ended = Extract<Outcome, { kind: 'answered' | 'over' }>;

/** No answer. */
export interface Failed {
  readonly kind: 'failed';
  /** Whether the upstream may have seen the request. */
  readonly sent: boolean;
  /** Whether it broke off on a connection that had served before: it may have been closing it. */
  readonly raced: boolean;
  /** Whether it just did not answer in time. */
  readonly timedOut: boolean;
  /** Why it was never sent: there are too many requests, or the upstream's breaker is open. */
  readonly turnedAway: NoRoom | UpstreamIll | undefined;
}

/**
 * Whether one more try makes sense, for a request that may be repeated: when a server closes an
 * idle connection just as a request is sent on it, nothing is wrong with the server.
 */
export function isWorthAnother({ raced, timedOut }: Failed): boolean {
  return raced || timedOut;
}

/** An answer of which the client has got nothing so far. */
interface Held {
  readonly reason: string;
  readonly headers: ResponseHeaders;
  readonly chunks: Buffer[];
  bytes: number;
  /** Up to how many bytes are held back, and up to how many the filter takes. */
  readonly limit: number;
  readonly taken: number;
}

interface UpstreamCallOptions {
  /** It may take as long as the request may. */
  readonly patient?: boolean;
  /** Not the request's first: the upstream has less time left. */
  readonly again?: boolean;
  /** Whether FENCED is kept from the client. */
  readonly catchFenced?: boolean;
  /** Gets the connection when the upstream agrees to upgrade it. */
  readonly onUpgrade?: (socket: Duplex) => void;
  /** Keeps a copy of bodies up to this many bytes. */
  readonly copyBytes?: number;
}

const CONTENT_TYPE = 'content-type';
const FENCED_BODY_LIMIT = 65_536;
/** What node can write from its stack, with room for a head. */
const SMALL_BYTES = 12_000;
const NO_HEADERS: readonly string[] = [];
const OVER: Outcome = { kind: 'over' };

/**
 * One try of a request at one upstream; its answer is streamed to the client as it comes. Written
 * against undici's raw headers, which spares parsing them into an object.
 */
export class UpstreamCall implements UpgradeExchange, Cancellable, Timed {
  isWaiting = false;
  ticket = 0;
  dueAt = 0;
  previous: Timed | undefined;
  next: Timed | undefined;
  readonly #context: RequestContext;
  readonly #done: (outcome: Outcome) => void;
  readonly #catchFenced: boolean;
  readonly #copyBytes: number;
  readonly #again: boolean;
  readonly #patient: boolean;
  #upstream: Sender | undefined;
  /** Until its answer begins, where that may not take as long as the request. */
  #deadlines: Deadlines | undefined;
  readonly #onUpgrade: UpstreamCallOptions['onUpgrade'];
  /** Whether the connection has served before, and not begun to answer this time. */
  #reused = false;
  #abort: ((error?: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #settled = false;
  #status = 0;
  /** Bytes still to come, where the upstream announced them. */
  #remaining = Number.NaN;
  #passed = false;
  #ended = false;
  /** An answer that may be FENCED, or that a filter takes whole. */
  #held: Held | undefined;
  #copied: Buffer[] | undefined;
  #copiedHeaders = NO_HEADERS;
  #copiedBytes = 0;

  constructor(
    context: RequestContext,
    options: UpstreamCallOptions,
    done: (outcome: Outcome) => void,
  ) {
    const { catchFenced = false, copyBytes = 0, again = false, patient = false } = options;
    this.#context = context;
    this.#done = done;
    this.#onUpgrade = options.onUpgrade;
    this.#catchFenced = catchFenced;
    this.#copyBytes = copyBytes;
    this.#again = again;
    this.#patient = patient;
  }

  send(upstream: Sender, body: Dispatcher.DispatchOptions['body'], headers: string[]): void {
    const context = this.#context;
    const { method, target, timed, trace } = context.form;
    if (timed) context.sentAt = performance.now();
    const firstByte = upstream.timeouts?.firstByte;
    if (this.#again || firstByte) headers[TIMEOUT_AT] = String(msFor(context, firstByte));
    trace.span?.addEvent('sent', { 'fig.upstream': upstream.name });
    context.underWay = this;
    this.#upstream = upstream;
    if (!this.#patient) {
      this.#deadlines = firstByte ?? context.tryDeadlines;
      this.#deadlines?.start(this, performance.now());
    }
    upstream.dispatch(method, target, headers, body, this);
  }

  get client(): string {
    return this.#context.client;
  }

  idling(now: number, patienceMs: number): Idling | undefined {
    return this.#settled ? undefined : this.#context.idling(now, patienceMs);
  }

  giveWay(): void {
    this.#context.tooSlow();
  }

  get calledOff(): boolean {
    return this.#settled;
  }

  /** Calls the try off; the upstream's connection is closed. */
  cancel(fault?: Error): void {
    if (fault && !this.#settled) this.#upstream?.failed(fault, this);
    this.#settle(OVER);
    this.#abort?.();
  }

  /** The try has taken as long as one may. */
  expire(): void {
    const abort = this.#abort;
    const turnedAway = this.isWaiting ? new NoRoom() : undefined;
    this.#upstream?.failed(turnedAway ?? new UpstreamTimedOut('no answer in time'), this);
    const sent = abort !== undefined;
    this.#settle({ kind: 'failed', sent, raced: false, timedOut: true, turnedAway });
    abort?.();
  }

  onConnect(abort: (error?: Error) => void, reused: boolean): void {
    this.#reused = reused;
    if (this.#settled) abort();
    else this.#abort = abort;
  }

  onUpgrade(socket: Duplex): void {
    if (this.#settled || !this.#onUpgrade) {
      socket.destroy();
      return;
    }
    this.#upstream?.answered(101, this);
    this.#onUpgrade(socket);
    this.#settle(OVER);
  }

  onResponseStarted(): void {
    this.#reused = false;
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, phrase: string): boolean {
    if (this.#settled) return true;
    try {
      return this.#head(status, raw, resume, phrase);
    } catch (error) {
      // Nothing that an upstream sends may do more than spoil its own answer.
      this.#spoilt(error as Error);
      return true;
    }
  }

  #head(status: number, raw: Buffer[], resume: () => void, phrase: string): boolean {
    if (status < 100 || status === 101) {
      throw new MalformedAnswer(`an answer of status ${status}, and nothing else`);
    }
    if (status < 200) {
      if (status === 103) this.#context.hint(linksOf(raw));
      return true;
    }
    this.#deadlines?.stop(this);
    this.#upstream?.answered(status, this);
    this.#status = status;
    this.#resume = resume;
    const { form, req } = this.#context;
    const takesTrailers = form.method !== 'HEAD' && req.httpVersionMinor > 0;
    const headers = responseHeaders(raw, status, takesTrailers);
    const reason = reasonPhrase(status, phrase);
    const { filter } = this.#context;
    const taken = filter && !isBodiless(status) ? filter.takes(status, headers.fields) : 0;
    const limit = Math.max(taken, this.#catchFenced && mayBeFenced(status) ? FENCED_BODY_LIMIT : 0);
    if (limit > 0) {
      this.#held = { reason, headers, chunks: [], bytes: 0, limit, taken };
      if (taken > 0) this.#timeSilence();
      return true;
    }
    this.#begin(reason, headers);
    // It is whole. undici would wait for as many bytes as a Content-Length beside it names.
    if (isBodiless(status)) this.onComplete(null);
    return true;
  }

  #spoilt(error: Error): void {
    this.#upstream?.failed(error, this);
    if (this.#context.res.headersSent) {
      this.#settle(OVER);
      this.#context.cut();
    } else {
      const turnedAway = undefined;
      this.#settle({ kind: 'failed', sent: true, raced: false, timedOut: false, turnedAway });
    }
    this.#abort?.();
  }

  #begin(reason: string, { fields, contentLength }: ResponseHeaders): void {
    this.#remaining = contentLength;
    if (this.#copyBytes > 0) {
      this.#copied = [];
      this.#copiedHeaders = fields;
    }
    this.#context.begin(this.#status, reason, fields);
    this.#timeSilence();
    // Where the end of the body is open, its next piece may be.
    if (!(contentLength <= SMALL_BYTES)) this.#context.answerBegins(isEventStream(fields));
    // The head of a small answer leaves with its body; others may take their time.
    if (!(contentLength <= SMALL_BYTES) && !isBodiless(this.#status))
      process.nextTick(flushHead, this);
  }

  #timeSilence(): void {
    const silence = this.#upstream?.timeouts?.silence;
    if (silence) this.#context.timeBy(silence);
  }

  get waitsForBody(): boolean {
    return !this.#passed && !this.#settled;
  }

  flush(): void {
    this.#context.res.flushHeaders();
  }

  onData(chunk: Buffer): boolean {
    if (this.#settled) return true;
    if (this.#held) return this.#hold(chunk);
    return this.#pass(chunk);
  }

  #pass(chunk: Buffer): boolean {
    this.#passed = true;
    if (this.#copied) this.#copy(chunk);
    this.#remaining -= chunk.length;
    const { res } = this.#context;
    if (this.#remaining === 0) {
      this.#ended = true;
      endWith(res, chunk);
      return true;
    }
    this.#context.prolong(chunk.length);
    if (res.write(chunk)) return true;
    res.once('drain', () => {
      this.#context.prolong();
      this.#resume?.();
    });
    return false;
  }

  #copy(chunk: Buffer): void {
    this.#copiedBytes += chunk.length;
    if (this.#copiedBytes > this.#copyBytes) this.#copied = undefined;
    else this.#copied?.push(chunk);
  }

  #hold(chunk: Buffer): boolean {
    const held = this.#held;
    if (!held) return true;
    // FENCED is no answer: a write that waits must not have its deadline moved by it.
    if (!mayBeFenced(this.#status)) this.#context.prolong(chunk.length);
    held.chunks.push(chunk);
    held.bytes += chunk.length;
    return held.bytes <= held.limit || this.#passHeld(held);
  }

  /** What was held is an ordinary answer, and goes on as it comes. */
  #passHeld(held: Held): boolean {
    this.#held = undefined;
    if (held.taken > 0 && !this.#filtered((filter) => filter.overflow())) return true;
    this.#begin(held.reason, held.headers);
    return held.chunks.length === 0 || this.#pass(Buffer.concat(held.chunks));
  }

  /** What was held is the whole of an ordinary answer. */
  #passWhole(held: Held): void {
    if (held.taken === 0 || held.bytes > held.taken) {
      this.#passHeld(held);
      return;
    }
    this.#held = undefined;
    const { fields } = held.headers;
    const body = Buffer.concat(held.chunks);
    // The other side's answer is compared with what this one has given.
    if (body.length <= this.#copyBytes) [this.#copied, this.#copiedHeaders] = [[body], [...fields]];
    this.#filtered((filter) => {
      const answer = filter.pass({ status: this.#status, fields, body });
      const isSame = answer.status === this.#status;
      const reason = isSame ? held.reason : (STATUS_CODES[answer.status] ?? '');
      this.#context.begin(answer.status, reason, [...answer.fields]);
      this.#ended = true;
      if (answer.body.length > 0) endWith(this.#context.res, answer.body);
      else this.#context.res.end();
    });
  }

  /** @returns false where the filter has refused the answer: the client has been told */
  #filtered(use: (filter: AnswerFilter) => void): boolean {
    const { filter } = this.#context;
    try {
      if (filter) use(filter);
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const abort = this.#ended ? undefined : this.#abort;
      this.#context.refuse(error);
      this.#settle(OVER);
      abort?.();
      return false;
    }
  }

  onComplete(trailers: readonly (string | Buffer)[] | null): void {
    if (this.#settled) return;
    if (this.#held) {
      const mayBe = this.#catchFenced && mayBeFenced(this.#status);
      const fence = mayBe ? fencedAnswer(this.#held.chunks) : undefined;
      if (fence) {
        this.#context.form.trace.span?.addEvent('fenced', spanFacts(fence));
        this.#settle({ kind: 'fenced', fence });
        return;
      }
      this.#passWhole(this.#held);
      if (this.#settled) return;
    }
    const { res } = this.#context;
    if (!this.#ended) {
      if (trailers && trailers.length > 0) res.addTrailers(allowedTrailers(trailers));
      res.end();
    }
    this.#context.finish();
    const body = this.#copied && joined(this.#copied);
    const status = this.#status;
    this.#settle({ kind: 'answered', status, headers: this.#copiedHeaders, body });
  }

  onError(error: Error): void {
    if (this.#settled) return;
    if (!this.#ended) this.#upstream?.failed(error, this);
    if (this.#context.res.headersSent) {
      this.#settle(OVER);
      if (this.#ended) this.#context.finish();
      else this.#context.cut();
      return;
    }
    const sent = this.#abort !== undefined;
    const raced = sent && this.#reused;
    const turnedAway = error instanceof NoRoom || error instanceof UpstreamIll ? error : undefined;
    this.#settle({ kind: 'failed', sent, raced, timedOut: false, turnedAway });
  }

  #settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#deadlines?.stop(this);
    this.#upstream?.left(this);
    if (this.#context.underWay === this) this.#context.underWay = undefined;
    try {
      this.#done(outcome);
    } catch (error) {
      this.#context.cut();
      throw error;
    }
  }
}

/**
 * Ends an answer. A small one leaves in a single plain write, head and body as one string: by
 * `end(chunk)` node would gather three pieces, which costs a tenth of the whole request.
 */
function endWith(res: RequestContext['res'], chunk: Buffer): void {
  const { socket } = res;
  if (chunk.length > SMALL_BYTES || !socket) {
    res.end(chunk);
    return;
  }
  socket.cork();
  res.write(chunk.toString('latin1'), 'latin1');
  socket.uncork();
  res.end();
}

/** Events come when they happen, which may be a long time apart. */
function isEventStream(fields: readonly string[]): boolean {
  return fields.some(
    (name, index) =>
      index % 2 === 0 &&
      name.length === CONTENT_TYPE.length &&
      name.toLowerCase() === CONTENT_TYPE &&
      /^\s*text\/event-stream\b/i.test(fields[index + 1] ?? ''),
  );
}

/** What an upstream is told that it has, in ms. */
function msFor({ msLeft }: RequestContext, firstByte: Deadlines | undefined): number {
  return firstByte ? Math.min(msLeft, firstByte.limitMs) : msLeft;
}

function flushHead(attempt: UpstreamCall): void {
  if (attempt.waitsForBody) attempt.flush();
}

function linksOf(raw: readonly Buffer[]): readonly string[] {
  return raw.flatMap((name, index) =>
    index % 2 === 0 && name.toString('latin1').toLowerCase() === 'link'
      ? [raw[index + 1]?.toString('latin1') ?? '']
      : [],
  );
}
