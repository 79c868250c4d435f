import type { EventSubscriber } from '../../chassis/index.ts';
import { SUBSCRIPTIONS } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';

const TEMPLATE_OF_TYPE: Readonly<Record<string, string>> = {
  OrderConfirmed: 'ORDCONF',
  OrderRejected: 'ORDREJ',
  OrderCancelled: 'ORDCANC',
};

/** Writes down what each customer is to be told about an order. */
export function createNotifications(): EventSubscriber {
  return {
    name: 'notification',
    types: SUBSCRIPTIONS.notification,
    async handle(trx, { id, type, data }) {
      const { orderId, customerId } = data as { orderId: string; customerId: string };
      await trx('NTF_MSG').insert({
        EVT_ID: id,
        ORD_NO: orderId,
        CUST_NO: customerId,
        TMPL_CD: TEMPLATE_OF_TYPE[type],
        CRT_TS: toTimestamp(Date.now()),
      });
    },
  };
}
