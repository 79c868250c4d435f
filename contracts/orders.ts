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

export const OrderPage = pageOf('OrderPage', Order);
export type OrderPage = z.infer<typeof OrderPage>;
