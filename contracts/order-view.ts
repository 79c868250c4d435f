import { z } from 'zod';
import { Amount, Currency, Money } from './money.ts';
import { ORDER_STATUSES, OrderItem, OrderStatus } from './orders.ts';
import { cursor, limit } from './page.ts';
import { PAYMENT_STATUSES, PaymentStatus } from './payment.ts';
import { Count, Id, Time } from './primitives.ts';
import { named } from './registry.ts';

/** An order with what has become of it, as events have told. */
export const OrderView = named(
  'OrderView',
  z.strictObject({
    orderId: Id,
    customerId: Id,
    status: OrderStatus,
    items: z.array(OrderItem),
    total: Money,
    /** Null before anything is known of a payment. */
    payment: z
      .strictObject({
        paymentId: Id,
        status: PaymentStatus,
        amount: Amount,
        refundedAmount: Amount,
      })
      .nullable(),
    /** Null until the goods have left. */
    shippedAt: Time.nullable(),
    createdAt: Time,
    /** When the last event of the order happened that is in here. */
    updatedAt: Time,
  }),
);
export type OrderView = z.infer<typeof OrderView>;

const freshness = {
  /** Up to which event of each source this is, such as `orders@0.17 payment@3.4`. */
  position: z.string(),
  /** Whether an event that the client has asked for is not in here yet. */
  behind: z.boolean(),
};

export const OrderViewPage = named(
  'OrderViewPage',
  z.strictObject({
    items: z.array(OrderView),
    nextCursor: z.string().nullable(),
    ...freshness,
  }),
);
export type OrderViewPage = z.infer<typeof OrderViewPage>;

/** Of all orders that the filter leaves, in one currency. */
export const OrderTotals = named(
  'OrderTotals',
  z.strictObject({
    currency: Currency,
    orders: Count,
    ordered: Amount,
    paid: Amount,
    refunded: Amount,
  }),
);
export type OrderTotals = z.infer<typeof OrderTotals>;

export const CustomerOrders = named(
  'CustomerOrders',
  z.strictObject({
    items: z.array(OrderView),
    nextCursor: z.string().nullable(),
    totals: z.array(OrderTotals),
    ...freshness,
  }),
);
export type CustomerOrders = z.infer<typeof CustomerOrders>;

export const ORDER_SORTS = ['-createdAt', 'createdAt', '-total', 'total'] as const;

const filters = {
  status: z
    .enum(ORDER_STATUSES, { error: `must be one of ${ORDER_STATUSES.join(', ')}` })
    .optional(),
  paymentStatus: z
    .enum(PAYMENT_STATUSES, { error: `must be one of ${PAYMENT_STATUSES.join(', ')}` })
    .optional(),
  shipped: z.enum(['true', 'false'], { error: 'must be true or false' }).optional(),
  sort: z
    .enum(ORDER_SORTS, { error: `must be one of ${ORDER_SORTS.join(', ')}` })
    .default('-createdAt'),
};

/** The query of a customer's orders in the order view. */
export const CustomerOrdersQuery = z.strictObject({ ...filters, limit, cursor });
export type CustomerOrdersQuery = z.infer<typeof CustomerOrdersQuery>;

/** The query of the order list. */
export const OrderViewQuery = z.strictObject({
  customerId: Id.optional(),
  ...filters,
  limit,
  cursor,
});
export type OrderViewQuery = z.infer<typeof OrderViewQuery>;
