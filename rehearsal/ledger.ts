import type { PlannedOrder } from './dataset.ts';

/** What became of one order, by what its client was told last. */
export type OrderOutcome =
  | { readonly kind: 'confirmed'; readonly orderId: string; readonly cancelled: boolean }
  | { readonly kind: 'out_of_stock' | 'payment_declined'; readonly orderId: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A request that did not get a documented answer. */
export interface FailedRequest {
  readonly what: string;
  /** ms since 1970: when it was sent and when it failed. */
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** A read that showed a client less than its own acknowledged write. */
export interface StaleRead {
  readonly what: string;
  readonly at: number;
  readonly detail: string;
}

/**
 * What the clients were told. Databases that agree with each other prove little: a lost update
 * converges as well. This is what they are held against.
 */
export interface Ledger {
  readonly told: Map<PlannedOrder, OrderOutcome>;
  readonly failed: FailedRequest[];
  readonly stale: StaleRead[];
  /** Writes that were acknowledged. */
  readonly writes: { readonly from: number; readonly to: number }[];
  requests: number;
}

export function createLedger(): Ledger {
  return { told: new Map(), failed: [], stale: [], writes: [], requests: 0 };
}

/** Confirmed orders that were not cancelled: what was sold. */
export function sold({ told }: Ledger): PlannedOrder[] {
  return [...told]
    .filter(([, answer]) => answer.kind === 'confirmed' && !answer.cancelled)
    .map(([order]) => order);
}
