import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes, Span } from '@opentelemetry/api';
import { randomHex, randomId } from './random-ids.ts';

/** A span's place in its trace, as W3C's `traceparent` says it: lower-case hex of 16 and of 8 bytes. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether the process that began the trace records it. */
  readonly sampled: boolean;
}

/** A span of this process. */
export interface Trace extends TraceParent {
  /** What is recorded of it; absent where nothing is: no exporter is configured, or the trace is not sampled. */
  readonly span?: Span | undefined;
}

/** What a span is begun with. Its name has few values; attributes hold no personal data. */
export interface SpanStart {
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes?: Attributes;
  /** Spans of other traces that belong to it. */
  readonly links?: readonly TraceParent[];
}

/** Begins a span that is recorded if its trace is sampled. */
export type Recorder = (start: SpanStart, parent: TraceParent | undefined) => Trace;

const storage = new AsyncLocalStorage<Trace>();
const TRACEPARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = 1;
/** OpenTelemetry's number of the status. */
const ERROR = 2;

let recorder: Recorder | undefined;

/** Has spans recorded from now on. Undefined: no more. */
export function recordBy(given: Recorder | undefined): void {
  recorder = given;
}

/** What a `traceparent` header says; undefined for none, and for one that is not well-formed. */
export function parentIn(traceparent: string | null | undefined): TraceParent | undefined {
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  if (!match) return undefined;
  const [, traceId, spanId, flags] = match as unknown as [string, string, string, string];
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/**
 * Continues a trace in a span that is not recorded, or begins one where there is no parent. The servers behind decide
 * by themselves about a new trace, as if the client had asked for it: without an exporter we are no reason to leave it out.
 */
export function unrecorded(parent: TraceParent | undefined): Trace {
  return {
    traceId: parent?.traceId ?? randomId(),
    spanId: randomHex(8),
    sampled: parent?.sampled ?? true,
  };
}

/** Begins a span; the caller ends it with `span.end()`, where it is recorded. */
export function beginSpan(start: SpanStart, parent: TraceParent | undefined): Trace {
  return recorder ? recorder(start, parent) : unrecorded(parent);
}

/** A span below the current one where that is recorded; else the current one itself, if any. */
export function childSpan(start: SpanStart): Trace | undefined {
  const current = storage.getStore();
  return current?.span ? beginSpan(start, current) : current;
}

/** Runs `work` in a span of its own, which ends with it. */
export async function inSpan<T>(
  start: SpanStart,
  parent: TraceParent | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const trace = beginSpan(start, parent);
  try {
    return await storage.run(trace, work);
  } catch (error) {
    markFailed(trace, error);
    throw error;
  } finally {
    trace.span?.end();
  }
}

/** Marks a span as failed. It gets the error's name alone: a message may quote what a request held. */
export function markFailed({ span }: Trace, error: unknown): void {
  span?.setStatus({ code: ERROR });
  span?.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
}

/** Marks a span as answered. Of a server it has failed from 500 on, of a client from 400 on. */
export function markAnswered({ span }: Trace, status: number, failedFrom: 400 | 500): void {
  span?.setAttribute('http.response.status_code', status);
  if (status >= failedFrom) span?.setStatus({ code: ERROR });
}

/** Continues the caller's trace in a span that is not recorded, or begins one where there is none. */
export function continueTrace(traceparent: string | undefined): Trace {
  return unrecorded(parentIn(traceparent));
}

/** The `traceparent` header to send on. */
export function traceparentOf({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

/** Runs `work` with this trace as the current one, for logs and outgoing calls. */
export function withTrace<T>(trace: Trace, work: () => T): T {
  return storage.run(trace, work);
}

export function currentTrace(): Trace | undefined {
  return storage.getStore();
}

export function currentTraceId(): string | undefined {
  return storage.getStore()?.traceId;
}

/** The ids that a log line carries. */
export function idsOf({ traceId, spanId }: TraceParent): { traceId: string; spanId: string } {
  return { traceId, spanId };
}
