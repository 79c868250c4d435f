import { createOutbox } from '../chassis/index.ts';
import { toTimestamp } from './legacy/index.ts';
import type { Publish } from './orders/index.ts';

/** What has happened in this monolith and is still to be told. */
export const outbox = createOutbox({
  table: 'EVT_OUTBOX',
  columns: { position: 'SEQ_NO', id: 'EVT_ID', event: 'EVT_TXT', createdAt: 'CRT_TS' },
  formatTime: toTimestamp,
});

const ORDER_EVENT_VERSION = 1;

/** Orders tell what happens to them through the outbox. */
export const publishOrderEvent: Publish = (trx, type, order) =>
  outbox.publish(trx, {
    type,
    version: ORDER_EVENT_VERSION,
    aggregateId: order.id,
    data: {
      orderId: order.id,
      customerId: order.customerId,
      items: order.items,
      total: order.total,
    },
  });
