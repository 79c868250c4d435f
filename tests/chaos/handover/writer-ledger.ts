/** A write that its client sent under a key of its own. */
export interface Sent {
  readonly kind: 'adjustment' | 'payment';
  readonly key: string;
  readonly sku: string;
  /** Units, or minor units of money. */
  readonly amount: number;
  readonly customer: string;
}

/** What its client was told; nothing when every answer was a failure. */
export interface AnsweredWrite extends Sent {
  readonly answer: { readonly status: number; readonly id: string | null } | null;
}

/** One try that brought no documented answer. */
export interface FailedTry {
  readonly what: string;
  readonly facade: string;
  /** ms since 1970. */
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}
