import type { EventSubscriber } from '../../chassis/index.ts';
import { CustomerOfEvent, SUBSCRIPTIONS } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';

/**
 * Makes a shipment ready for each confirmed order, and calls it off when the order is cancelled before the goods have
 * left. The row decides between the two: whichever changes it first.
 */
export function createShipping(): EventSubscriber {
  return {
    name: 'shipping',
    types: SUBSCRIPTIONS.shipping,
    async handle(trx, { type, data }) {
      const { orderId, customerId } = CustomerOfEvent.parse(data);
      const now = toTimestamp(Date.now());
      if (type === 'OrderConfirmed') {
        const row = {
          ORD_NO: orderId,
          CUST_NO: customerId,
          STAT_CD: 'R',
          CRT_TS: now,
          UPD_TS: now,
        };
        await trx('SHP_HDR').insert(row).onConflict('ORD_NO').ignore();
      } else {
        await trx('SHP_HDR')
          .where({ ORD_NO: orderId, SHIP_TS: null })
          .update({ STAT_CD: 'X', UPD_TS: now });
      }
    },
  };
}
