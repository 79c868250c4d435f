import { z } from 'zod';

const name = z.string().min(1).max(128);

/** The processor's own API: it knows nothing of the shop but a payment's id and a reference. */
export const ChargeRequest = z.strictObject({
  paymentId: name,
  amount: z.int().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/),
  method: z.enum(['card_ok', 'card_declined', 'card_timeout', 'card_slow']),
  reference: name,
});
export type ChargeRequest = z.infer<typeof ChargeRequest>;

export const RefundRequest = z.strictObject({ refundId: name, amount: z.int().min(1) });
export type RefundRequest = z.infer<typeof RefundRequest>;

/** A charge as the processor keeps it. `requests` counts every time it was asked for. */
export interface Charge extends ChargeRequest {
  readonly status: 'captured' | 'declined';
  readonly requests: number;
  readonly createdAt: number;
}

export interface Refund extends RefundRequest {
  readonly paymentId: string;
  readonly requests: number;
  readonly createdAt: number;
}
