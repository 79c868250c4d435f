import type { DomainEvent, EventSubscriber, Transaction } from '../../chassis/index.ts';
import { toTimestamp } from '../legacy/index.ts';

interface OrderFacts {
  readonly orderId: string;
  readonly customerId: string;
}

type ShipmentCode = 'R' | 'X';

function shipment({ data }: DomainEvent, status: ShipmentCode) {
  const { orderId, customerId } = data as OrderFacts;
  const now = toTimestamp(Date.now());
  return { ORD_NO: orderId, CUST_NO: customerId, STAT_CD: status, CRT_TS: now, UPD_TS: now };
}

/**
 * Makes a shipment ready for each confirmed order, and calls it off when the order is cancelled.
 * The two events may come in the wrong order: a cancellation leaves its mark for the other one.
 */
export function createShipping(): EventSubscriber {
  return {
    name: 'shipping',
    types: ['OrderConfirmed', 'OrderCancelled'],
    async handle(trx: Transaction, event) {
      const insert = trx('SHP_HDR')
        .insert(shipment(event, event.type === 'OrderConfirmed' ? 'R' : 'X'))
        .onConflict('ORD_NO');
      if (event.type === 'OrderConfirmed') await insert.ignore();
      else await insert.merge(['STAT_CD', 'UPD_TS']);
    },
  };
}
