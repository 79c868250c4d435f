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

/** Without `amount`, all that is left. */
export const RefundRequest = named(
  'RefundRequest',
  z.strictObject({ amount: PositiveAmount.optional() }),
);
export type RefundRequest = z.infer<typeof RefundRequest>;
