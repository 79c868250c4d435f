import { placeOf } from '../../chassis/index.ts';
import type { DomainEvent, Transaction } from '../../chassis/index.ts';
import {
  OrderEventData,
  PaymentEventData,
  ShippedData,
  SUBSCRIPTIONS,
} from '../../contracts/index.ts';
import { upsertNewer } from './rows.ts';

/** The one projection that this service has. */
export const PROJECTION = 'orders';

const TYPES: readonly string[] = SUBSCRIPTIONS['order-view'];

/** Makes a generation of the projection be as an event says; events of other types change nothing. */
export async function project(
  trx: Transaction,
  generation: number,
  event: DomainEvent,
): Promise<void> {
  if (!TYPES.includes(event.type)) return;
  await apply(trx, generation, event);
  const { source } = event;
  await upsertNewer(trx, 'source_rows', { generation, source }, placeOf(event));
}

async function apply(trx: Transaction, generation: number, event: DomainEvent): Promise<void> {
  const place = placeOf(event);
  if (event.source === '/orders') {
    const order = OrderEventData.parse(event.data);
    const key = { generation, order_id: order.orderId };
    await upsertNewer(trx, 'order_rows', key, place, {
      customer_id: order.customerId,
      status: order.status,
      items: JSON.stringify(order.items),
      total: order.total.amount,
      currency: order.total.currency,
      payment_id: order.paymentId,
      created_at: Date.parse(order.createdAt),
      updated_at: Date.parse(event.time),
    });
  } else if (event.source === '/payment') {
    const payment = PaymentEventData.parse(event.data);
    const key = { generation, payment_id: payment.paymentId };
    await upsertNewer(trx, 'payment_rows', key, place, {
      status: payment.status,
      amount: payment.amount,
      refunded_amount: payment.refundedAmount,
    });
  } else {
    const { orderId, shippedAt } = ShippedData.parse(event.data);
    const key = { generation, order_id: orderId };
    await upsertNewer(trx, 'shipment_rows', key, place, { shipped_at: Date.parse(shippedAt) });
  }
}
