/** One request, and what its client was told. */
export interface RecordedRequest {
  readonly kind: 'read' | 'adjustment' | 'payment';
  /** The idempotency key of a write, which is also stored with what it did. */
  readonly key: string;
  readonly sku: string;
  /** Units or minor units of money. */
  readonly amount: number;
  /** ms since 1970: when it was due, sent or not, and when its answer was there. */
  readonly dueAt: number;
  readonly doneAt: number;
  /** Status of the answer; 0 when there was none. */
  readonly status: number;
  /** Why there was none, or what the problem says. */
  readonly detail: string | null;
}

export const wentWell = ({ kind, status }: RecordedRequest): boolean =>
  status === (kind === 'read' ? 200 : 201);

/** From when the request was due: a client that falls behind must not hide how long others waited. */
export const latencyOf = ({ dueAt, doneAt }: RecordedRequest): number => doneAt - dueAt;
