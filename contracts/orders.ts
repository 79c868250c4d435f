import { z } from 'zod';
import { Money } from './money.ts';
import { pageOf } from './page.ts';
import { PaymentMethod } from './payment.ts';
import { Id, Lines, Quantity, Sku, Time } from './primitives.ts';
import { named } from './registry.ts';

export const OrderRequest = named(
  'OrderRequest',
  z.strictObject({ customerId: Id, items: Lines, paymentMethod: PaymentMethod }),
);
export type OrderRequest = z.infer<typeof OrderRequest>;

export const ORDER_STATUSES = [
  'pending',
  'confirmed',
  'rejected',
  'payment_declined',
  'cancelling',
  'cancelled',
] as const;

/** `rejected`: out of stock, or ended by an operator. `pending` and `cancelling`: still being worked on. */
export const OrderStatus = z.enum(ORDER_STATUSES);
export type OrderStatus = z.infer<typeof OrderStatus>;

export const OrderItem = named(
  'OrderItem',
  z.strictObject({ sku: Sku, quantity: Quantity, unitPrice: Money }),
);
export type OrderItem = z.infer<typeof OrderItem>;

export const Order = named(
  'Order',
  z.strictObject({
    id: Id,
    customerId: Id,
    status: OrderStatus,
    items: z.array(OrderItem),
    total: Money,
    paymentId: Id.nullable(),
    reservationId: Id.nullable(),
    createdAt: Time,
  }),
);
export type Order = z.infer<typeof Order>;

/** `called_off`: the order was cancelled in time, so that nothing is sent. `shippedAt` is there once it is. */
export const Shipment = named(
  'Shipment',
  z.strictObject({
    orderId: Id,
    customerId: Id,
    status: z.enum(['ready', 'shipped', 'called_off']),
    createdAt: Time,
    shippedAt: Time.nullable(),
  }),
);
export type Shipment = z.infer<typeof Shipment>;

/** What can happen to an order, in the words of its history. */
export const ORDER_EVENTS = [
  'placed',
  'goods_reserved',
  'goods_unavailable',
  'payment_taken',
  'payment_declined',
  'goods_taken',
  'reservation_lost',
  'goods_released',
  'payment_refunded',
  'nothing_to_pay',
  'confirmed',
  'rejected',
  'cancellation_requested',
  'cancelled',
  'no_answer_yet',
  'failed',
  'waiting_for_staff',
  'decided_by_staff',
] as const;

export const OrderHistoryEntry = named(
  'OrderHistoryEntry',
  z.strictObject({
    at: Time,
    event: z.enum(ORDER_EVENTS),
    /** The same in a sentence. */
    text: z.string(),
    /** How often it was, or was tried. */
    times: z.int().min(1),
  }),
);
export type OrderHistoryEntry = z.infer<typeof OrderHistoryEntry>;

/** What has happened to an order, oldest first. */
export const OrderHistory = named(
  'OrderHistory',
  z.strictObject({ orderId: Id, status: OrderStatus, entries: z.array(OrderHistoryEntry) }),
);
export type OrderHistory = z.infer<typeof OrderHistory>;

export const OrderPage = pageOf('OrderPage', Order);
export type OrderPage = z.infer<typeof OrderPage>;
