import type { SagaHistoryEntry, StoredSaga } from '../../chassis/index.ts';
import type { Order, OrderHistory, OrderHistoryEntry } from '../../contracts/index.ts';
import { cancelId, placeId } from './order-draft.ts';
import type { OrderSagas } from './sagas.ts';

type Told = Pick<OrderHistoryEntry, 'event' | 'text'>;

const told = (event: Told['event'], text: string): Told => ({ event, text });

const RELEASED = told('goods_released', 'The goods went back into stock.');
const REFUNDED = told('payment_refunded', 'What had been paid was paid back.');

/** What each step with a definite answer means to a customer, by step and result. */
const STEPS: Readonly<Record<string, Told>> = {
  'reserve done': told('goods_reserved', 'The goods were reserved.'),
  'reserve refused': told('goods_unavailable', 'The goods are out of stock.'),
  'reserve undone': RELEASED,
  'charge done': told('payment_taken', 'The payment was taken.'),
  'charge refused': told('payment_declined', 'The card was declined.'),
  'charge undone': REFUNDED,
  'commit done': told('goods_taken', 'The goods were taken from stock.'),
  'commit refused': told('reservation_lost', 'The reservation had been released meanwhile.'),
  'commit undone': RELEASED,
  'release done': RELEASED,
  'refund done': REFUNDED,
};

const FREE = told('nothing_to_pay', 'There was nothing to pay.');
const UNKNOWN = told('no_answer_yet', 'There was no answer, and the step was asked for again.');
const FAILED = told('failed', 'The step was refused for now, and was tried again.');
const STUCK = told('waiting_for_staff', 'The order waits for a decision of the staff.');
const DECIDED = told('decided_by_staff', 'The staff decided how the order goes on.');

/** How each saga of an order begins and ends, by its type. */
const BEGUN = {
  place: told('placed', 'The order was placed.'),
  cancel: told('cancellation_requested', 'The order was to be cancelled.'),
} as const;
const COMPLETED = {
  place: told('confirmed', 'The order was confirmed.'),
  cancel: told('cancelled', 'The order was cancelled.'),
} as const;
const REJECTED = told('rejected', 'The order was rejected.');

/** What has happened to an order, in plain words. Why a step failed is for operators. */
export async function historyOf(
  { place, cancel }: OrderSagas,
  order: Order,
): Promise<OrderHistory> {
  const ids = { place: placeId(order.id), cancel: cancelId(order.id) };
  const [placing, placed, cancelling, cancelled] = await Promise.all([
    place.store.find(ids.place),
    place.store.history(ids.place),
    cancel.store.find(ids.cancel),
    cancel.store.history(ids.cancel),
  ]);
  const placedAt = { at: order.createdAt, ...BEGUN.place, times: 1 };
  const entries = [
    placedAt,
    ...placed.map((entry) => entryOf(entry, order)),
    ...endOf('place', placing),
    ...(cancelling ? [{ at: iso(cancelling.createdAt), ...BEGUN.cancel, times: 1 }] : []),
    ...cancelled.map((entry) => entryOf(entry, order)),
    ...endOf('cancel', cancelling),
  ];
  return { orderId: order.id, status: order.status, entries };
}

const iso = (ms: number): string => new Date(ms).toISOString();

function entryOf(entry: SagaHistoryEntry, order: Order): OrderHistoryEntry {
  return { at: iso(entry.endedAt), ...tellingOf(entry, order), times: entry.times };
}

function tellingOf({ step, result }: SagaHistoryEntry, { paymentId }: Order): Told {
  if (result === 'unknown') return UNKNOWN;
  if (result === 'failed') return FAILED;
  const known = STEPS[`${step} ${result}`];
  if (!known) return DECIDED;
  const isOfMoney = known.event === 'payment_taken' || known.event === 'payment_refunded';
  return isOfMoney && paymentId === null && result === 'done' ? FREE : known;
}

/** How a saga ended, or that it waits; nothing while it is under way. */
function endOf(
  type: 'place' | 'cancel',
  saga: StoredSaga<unknown> | undefined,
): OrderHistoryEntry[] {
  if (!saga) return [];
  const { record, updatedAt } = saga;
  if (record.stuck) return [{ at: iso(record.stuck.since), ...STUCK, times: 1 }];
  const ended = { completed: COMPLETED[type], compensated: REJECTED } as const;
  if (record.status === 'forward' || record.status === 'backward') return [];
  return [{ at: iso(updatedAt), ...ended[record.status], times: 1 }];
}
