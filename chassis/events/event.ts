/**
 * Something that has happened, as subscribers get it: a CloudEvent 1.0 in structured JSON
 * (https://github.com/cloudevents/spec), with extensions for the trace and for its place in its stream.
 */
export interface DomainEvent {
  readonly specversion: '1.0';
  readonly id: string;
  /** What publishes it, such as `/inventory`: the same whichever side owns the capability. */
  readonly source: string;
  readonly type: string;
  /** The aggregate that it happened to. */
  readonly subject: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly dataschema: string;
  /** Of the form of `data`. */
  readonly dataversion: number;
  /** The trace of the request that caused it; absent outside of one. */
  readonly traceparent?: string;
  /** Of the fence behind which it was written; 0 for an aggregate of no capability. */
  readonly epoch: number;
  /** Its place in its outbox, in digits whose order as text is their order as numbers. */
  readonly sequence: string;
  readonly data: unknown;
}

/** What a publisher says of an event; the outbox adds the rest. */
export type EventDraft = Pick<
  DomainEvent,
  'source' | 'type' | 'subject' | 'dataschema' | 'dataversion' | 'data'
>;

/**
 * Where an event stands among those of its stream. A handover raises the epoch, so the order holds although the
 * events of two owners come from two outboxes.
 */
export interface Place {
  readonly epoch: number;
  readonly sequence: number;
}

/** All events of one aggregate, in one order. */
export function streamOf({ source, subject }: Pick<DomainEvent, 'source' | 'subject'>): string {
  return `${source} ${subject}`;
}

export function placeOf({ epoch, sequence }: Pick<DomainEvent, 'epoch' | 'sequence'>): Place {
  return { epoch, sequence: Number(sequence) };
}

export function isBefore(left: Place, right: Place): boolean {
  if (left.epoch !== right.epoch) return left.epoch < right.epoch;
  return left.sequence < right.sequence;
}

/** As many as the largest number that JavaScript counts to has. */
const DIGITS = 16;

export function sequenceText(sequence: number): string {
  return String(sequence).padStart(DIGITS, '0');
}
