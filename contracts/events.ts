import { z } from 'zod';
import type { Adjustment, Reservation } from './inventory.ts';
import { Amount, Currency, Money } from './money.ts';
import { OrderItem, OrderStatus } from './orders.ts';
import type { Order } from './orders.ts';
import { PaymentStatus } from './payment.ts';
import type { Payment } from './payment.ts';
import { Count, Id, Line, Sku, Time } from './primitives.ts';
import { named } from './registry.ts';

/** Who publishes: one a capability, whichever side owns it, and the parts of the monolith that stay. */
export const EVENT_SOURCES = ['/orders', '/inventory', '/payment', '/shipping'] as const;
export type EventSource = (typeof EVENT_SOURCES)[number];

// A newer publisher may say more: none of these is strict.

/** An order as it is right after the event. */
export const OrderEventData = named(
  'OrderEventData',
  z.object({
    orderId: Id,
    customerId: Id,
    status: OrderStatus,
    items: z.array(OrderItem),
    total: Money,
    paymentId: Id.nullable(),
    reservationId: Id.nullable(),
    createdAt: Time,
  }),
);
export type OrderEventData = z.infer<typeof OrderEventData>;

export const ReservationEventData = named(
  'ReservationEventData',
  z.object({ reservationId: Id, orderId: Id, items: z.array(Line) }),
);
export type ReservationEventData = z.infer<typeof ReservationEventData>;

/** `onHand` and `reserved` are those right after the adjustment. */
export const StockAdjustedData = named(
  'StockAdjustedData',
  z.object({
    adjustmentId: Id,
    sku: Sku,
    delta: z.int(),
    reason: z.string(),
    onHand: Count,
    reserved: Count,
  }),
);

/** A payment as it is right after the event. */
export const PaymentEventData = named(
  'PaymentEventData',
  z.object({
    paymentId: Id,
    orderId: Id,
    customerId: Id,
    status: PaymentStatus,
    amount: Amount,
    refundedAmount: Amount,
    currency: Currency,
  }),
);
export type PaymentEventData = z.infer<typeof PaymentEventData>;

export const ShippedData = named(
  'ShippedData',
  z.object({ orderId: Id, customerId: Id, shippedAt: Time }),
);
export type ShippedData = z.infer<typeof ShippedData>;

/** Whose order an event is about: what events of orders and shipments have in common. */
export const CustomerOfEvent = z.object({ orderId: Id, customerId: Id });

interface EventContract {
  readonly source: EventSource;
  /** Of the form of `data`: a change that a reader of the one before can't read gets a new one. */
  readonly version: number;
  /** What the subject is the id of. */
  readonly subject: string;
  readonly summary: string;
  readonly data: z.ZodType;
}

const order = (summary: string) =>
  ({ source: '/orders', version: 1, subject: 'the order', summary, data: OrderEventData }) as const;
const reservation = (summary: string) =>
  ({
    source: '/inventory',
    version: 1,
    subject: 'the reservation',
    summary,
    data: ReservationEventData,
  }) as const;
const payment = (summary: string) =>
  ({
    source: '/payment',
    version: 1,
    subject: 'the payment',
    summary,
    data: PaymentEventData,
  }) as const;

/** Every event there is. */
export const EVENTS = {
  OrderPlaced: order('An order was taken; nothing is reserved or charged yet.'),
  OrderConfirmed: order('Its goods are taken from stock, and it is paid.'),
  OrderRejected: order('It was refused as a whole; what was done for it is undone.'),
  OrderCancelled: order('A confirmed order was cancelled; goods and money are given back.'),
  StockReserved: reservation('All lines of an order are reserved.'),
  StockReleased: reservation('The goods of a reservation are given back.'),
  StockAdjusted: {
    source: '/inventory',
    version: 1,
    subject: 'the SKU',
    summary: 'The stock of a SKU was counted, delivered or written off.',
    data: StockAdjustedData,
  },
  PaymentCaptured: payment('The card was charged.'),
  PaymentDeclined: payment('The card was refused.'),
  PaymentRefunded: payment('Some of a payment, or all of it, was paid back.'),
  Shipped: {
    source: '/shipping',
    version: 1,
    subject: 'the order',
    summary: 'The goods of an order left the house.',
    data: ShippedData,
  },
} as const satisfies Record<string, EventContract>;

export type EventType = keyof typeof EVENTS;

/** The attributes that carry an event's meaning, in a CloudEvent's names. */
export interface EventOf {
  readonly source: EventSource;
  readonly type: EventType;
  readonly subject: string;
  readonly dataschema: string;
  readonly dataversion: number;
  readonly data: unknown;
}

/** Names a form of an event's data for good. */
function schemaOf(type: EventType): string {
  return `urn:shop:event:${type}:${EVENTS[type].version}`;
}

function eventOf<Type extends EventType>(
  type: Type,
  subject: string,
  data: z.infer<(typeof EVENTS)[Type]['data']>,
): EventOf {
  const { source, version } = EVENTS[type];
  return { source, type, subject, dataschema: schemaOf(type), dataversion: version, data };
}

export function orderEvent(
  type: 'OrderPlaced' | 'OrderConfirmed' | 'OrderRejected' | 'OrderCancelled',
  { id, ...told }: Order,
): EventOf {
  return eventOf(type, id, { orderId: id, ...told });
}

export function reservationEvent(
  type: 'StockReserved' | 'StockReleased',
  { id, orderId, items }: Reservation,
): EventOf {
  return eventOf(type, id, { reservationId: id, orderId, items });
}

export function stockAdjusted({ id, sku, delta, reason, stock }: Adjustment): EventOf {
  const { onHand, reserved } = stock;
  return eventOf('StockAdjusted', sku, { adjustmentId: id, sku, delta, reason, onHand, reserved });
}

/** What has happened to a payment between two looks at it; undefined where nothing has that is published. */
export function paymentEvent(before: Payment, after: Payment): EventOf | undefined {
  const { id, orderId, customerId, status, amount, refundedAmount, currency } = after;
  const data = { paymentId: id, orderId, customerId, status, amount, refundedAmount, currency };
  if (refundedAmount !== before.refundedAmount) return eventOf('PaymentRefunded', id, data);
  if (status === before.status) return undefined;
  return eventOf(status === 'declined' ? 'PaymentDeclined' : 'PaymentCaptured', id, data);
}

export function shipped(data: ShippedData): EventOf {
  return eventOf('Shipped', data.orderId, data);
}

/** The subscribers, and what each wants to know of. */
export const SUBSCRIPTIONS = {
  'order-view': [
    'OrderPlaced',
    'OrderConfirmed',
    'OrderRejected',
    'OrderCancelled',
    'PaymentCaptured',
    'PaymentDeclined',
    'PaymentRefunded',
    'Shipped',
  ],
  shipping: ['OrderConfirmed', 'OrderCancelled'],
  notification: ['OrderConfirmed', 'OrderRejected', 'OrderCancelled', 'Shipped'],
} as const satisfies Record<string, readonly EventType[]>;
export type SubscriberName = keyof typeof SUBSCRIPTIONS;

/** Who gets events of a type. */
export function subscribersOf(type: string): readonly string[] {
  return Object.entries(SUBSCRIPTIONS)
    .filter(([, types]) => (types as readonly string[]).includes(type))
    .map(([name]) => name);
}
