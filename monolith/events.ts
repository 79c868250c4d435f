import {
  connectEventQueues,
  createDeliveryFailures,
  createEventDeadLetters,
  createInbox,
  createOutbox,
  startEventRelay,
} from '../chassis/index.ts';
import type { Database, DeadLetterSource, Logger } from '../chassis/index.ts';
import type { Figure } from '../chassis/web/index.ts';
import { toTimestamp } from './legacy/index.ts';
import { createNotifications } from './notifications/index.ts';
import type { Publish } from './orders/index.ts';
import { createShipping } from './shipping/index.ts';

const ORDER_EVENT_VERSION = 1;

export const outbox = createOutbox({
  table: 'EVT_OUTBOX',
  columns: {
    position: 'SEQ_NO',
    id: 'EVT_ID',
    event: 'EVT_TXT',
    sentAt: 'SENT_TS',
    createdAt: 'CRT_TS',
  },
  formatTime: toTimestamp,
});

export const inbox = createInbox({
  table: 'EVT_INBOX',
  columns: { subscriber: 'SUBSCR_NM', eventId: 'EVT_ID', createdAt: 'CRT_TS' },
  formatTime: toTimestamp,
});

const failures = createDeliveryFailures({
  table: 'EVT_FAIL',
  columns: {
    subscriber: 'SUBSCR_NM',
    eventId: 'EVT_ID',
    attempts: 'FAIL_CNT',
    reason: 'RSN_TXT',
    deadAt: 'DEAD_TS',
  },
});

const subscribers = [createShipping(), createNotifications()];

/** Events that shipping or notifications could not take. */
export function createEventLetters(database: Database): DeadLetterSource {
  return createEventDeadLetters({ database, outbox, inbox, failures, subscribers });
}

/** For monitors: what waits in the outbox, and for how long. */
export function eventFigures({ read }: Database): readonly Figure[] {
  return [
    {
      name: 'fig_outbox_events',
      help: 'Events that at least one subscriber has not received',
      read: async () => [{ value: (await outbox.backlog(read)).events }],
    },
    {
      name: 'fig_outbox_oldest_seconds',
      help: 'Age of the oldest event that a subscriber has not received; 0 without any',
      read: async () => {
        const { oldest } = await outbox.backlog(read);
        return [{ value: oldest === null ? 0 : (Date.now() - oldest) / 1_000 }];
      },
    },
  ];
}

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

/**
 * Tells shipping and notifications what happens. While Redis is away events wait in the outbox.
 * @returns stops it
 */
export async function startEvents(
  database: Database,
  log: Logger,
  redisUrl: string,
  timing: { readonly resendMs?: number; readonly attempts?: number } = {},
): Promise<() => Promise<void>> {
  const queues = await connectEventQueues(redisUrl, log);
  const tables = { outbox, inbox, failures };
  return startEventRelay({ database, ...tables, subscribers, queues, log, ...timing });
}
