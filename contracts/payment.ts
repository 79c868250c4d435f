import { z } from 'zod';
import { Amount, Currency, PositiveAmount } from './money.ts';
import { pageOf } from './page.ts';
import { Id, Time } from './primitives.ts';
import { named } from './registry.ts';

export const PAYMENT_METHODS = ['card_ok', 'card_declined', 'card_timeout', 'card_slow'] as const;

/** The sandbox provider's test cards. */
export const PaymentMethod = named(
  'PaymentMethod',
  z.enum(PAYMENT_METHODS, { error: `must be one of ${PAYMENT_METHODS.join(', ')}` }),
);
export type PaymentMethod = z.infer<typeof PaymentMethod>;

export const PaymentRequest = named(
  'PaymentRequest',
  z.strictObject({
    orderId: Id,
    customerId: Id,
    amount: PositiveAmount,
    currency: Currency,
    method: PaymentMethod,
  }),
);
export type PaymentRequest = z.infer<typeof PaymentRequest>;

export const PAYMENT_STATUSES = [
  'pending',
  'captured',
  'declined',
  'refunded',
  'partially_refunded',
] as const;

/** `pending`: the provider's answer is not known yet. */
export const PaymentStatus = z.enum(PAYMENT_STATUSES);
export type PaymentStatus = z.infer<typeof PaymentStatus>;

/** `refundedAmount` counts what the provider has paid back, not what was only asked for. */
export const Payment = named(
  'Payment',
  z.strictObject({
    id: Id,
    orderId: Id,
    customerId: Id,
    amount: Amount,
    currency: Currency,
    method: PaymentMethod,
    status: PaymentStatus,
    refundedAmount: Amount,
    createdAt: Time,
  }),
);
export type Payment = z.infer<typeof Payment>;

export const PaymentPage = pageOf('PaymentPage', Payment);
export type PaymentPage = z.infer<typeof PaymentPage>;

/** What can happen to a payment, in the order in which it can. */
const PAYMENT_EVENTS = [
  'requested',
  'captured',
  'declined',
  'refund_requested',
  'refunded',
] as const;

export const PaymentEntry = named(
  'PaymentEntry',
  z.strictObject({
    event: z.enum(PAYMENT_EVENTS),
    amount: Amount,
    /** Of a refund. */
    refundId: Id.optional(),
    createdAt: Time,
  }),
);
export type PaymentEntry = z.infer<typeof PaymentEntry>;

/** Everything that has happened to a payment, oldest first: its status and what was paid back follow from it. */
export const PaymentHistory = named(
  'PaymentHistory',
  z.strictObject({
    paymentId: Id,
    currency: Currency,
    status: PaymentStatus,
    entries: z.array(PaymentEntry),
  }),
);
export type PaymentHistory = z.infer<typeof PaymentHistory>;

/** A payment's history from what has happened to it since it was asked for, in any order. */
export function paymentHistory(
  { id, currency, status, amount, createdAt }: Payment,
  later: readonly PaymentEntry[],
): PaymentHistory {
  const requested: PaymentEntry = { event: 'requested', amount, createdAt };
  return { paymentId: id, currency, status, entries: [requested, ...later.toSorted(byTime)] };
}

/** Of the same millisecond, what must have been first is first. */
function byTime(left: PaymentEntry, right: PaymentEntry): number {
  if (left.createdAt !== right.createdAt) return left.createdAt < right.createdAt ? -1 : 1;
  return PAYMENT_EVENTS.indexOf(left.event) - PAYMENT_EVENTS.indexOf(right.event);
}

/** Without `amount`, all that is left. */
export const RefundRequest = named(
  'RefundRequest',
  z.strictObject({ amount: PositiveAmount.optional() }),
);
export type RefundRequest = z.infer<typeof RefundRequest>;
