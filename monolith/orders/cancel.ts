import type { KeyedRequest, SagaDefinition, Transaction } from '../../chassis/index.ts';
import { refundPayment, releaseReservation } from './place.ts';
import type { OrderSagaDeps } from './place.ts';
import { updateOrder } from './rows.ts';

/** What is known of an order that is being cancelled. */
export interface Cancelling {
  readonly request: KeyedRequest;
  readonly orderId: string;
  readonly reservationId: string | null;
  readonly paymentId: string | null;
  /** Absent in sagas from before customers moved one by one. */
  readonly customerId?: string;
}

/** Its version is raised as that of `PLACE`. */
export const CANCEL = { type: 'cancel', version: 1 } as const;

/** Cancelling an order: restock, pay back. Neither can be refused, so it only ever goes forward. */
export function cancelSaga(deps: OrderSagaDeps): SagaDefinition<Cancelling, Transaction> {
  const { inventory, payment, keys, publish, policy } = deps;
  return {
    ...CANCEL,
    policy,
    steps: [
      {
        name: 'release',
        run: async ({ orderId, reservationId }) => {
          await releaseReservation(inventory, orderId, reservationId);
          return { outcome: 'done' };
        },
        assumedDone: () => ({}),
      },
      {
        name: 'refund',
        run: async (data) => {
          await refundPayment(payment, data);
          return { outcome: 'done' };
        },
        assumedDone: () => ({}),
      },
    ],
    async completed(trx, { orderId, request }) {
      const order = await updateOrder(trx, orderId, 'cancelled');
      await publish(trx, 'OrderCancelled', order);
      await keys.finish(trx, request, { status: 200, body: order }, orderId, Date.now());
    },
    compensated: (_trx, { orderId }) =>
      Promise.reject(new Error(`the cancelling of order ${orderId} cannot be undone`)),
    // There is no way back to a confirmed order: what is left of the cancelling goes on.
    whenDropped: { outcome: 'done' },
    shown: ({ request: _key, ...order }) => order,
  };
}
