import express from 'express';
import type { Router } from 'express';
import { methodNotAllowed, notFound } from '../../chassis/index.ts';
import type { Database, DomainEvent, EventSubscriber, Transaction } from '../../chassis/index.ts';
import { isHidden } from '../../chassis/web/index.ts';
import { SUBSCRIPTIONS } from '../../contracts/index.ts';
import type { Shipment } from '../../contracts/index.ts';
import { timestampToIso, toTimestamp } from '../legacy/index.ts';

interface OrderFacts {
  readonly orderId: string;
  readonly customerId: string;
}

const STATUS_OF_CODE = { R: 'ready', X: 'called_off' } as const;
type ShipmentCode = keyof typeof STATUS_OF_CODE;

interface ShipmentRow {
  readonly ORD_NO: string;
  readonly CUST_NO: string;
  readonly STAT_CD: ShipmentCode;
  readonly CRT_TS: string;
}

function shipment({ data }: DomainEvent, status: ShipmentCode) {
  const { orderId, customerId } = data as OrderFacts;
  const now = toTimestamp(Date.now());
  return { ORD_NO: orderId, CUST_NO: customerId, STAT_CD: status, CRT_TS: now, UPD_TS: now };
}

/**
 * Makes a shipment ready for each confirmed order, and calls it off when the order is cancelled.
 */
export function createShipping(): EventSubscriber {
  return {
    name: 'shipping',
    types: SUBSCRIPTIONS.shipping,
    async handle(trx: Transaction, event) {
      const insert = trx('SHP_HDR')
        .insert(shipment(event, event.type === 'OrderConfirmed' ? 'R' : 'X'))
        .onConflict('ORD_NO');
      if (event.type === 'OrderConfirmed') await insert.ignore();
      else await insert.merge(['STAT_CD', 'UPD_TS']);
    },
  };
}

/** The shipping part of the HTTP contract. */
export function shippingRoutes({ read }: Database): Router {
  const router = express.Router();
  router
    .route('/api/orders/:id/shipment')
    .get(async (req, res) => {
      const { id } = req.params;
      const row = (await read('SHP_HDR').where({ ORD_NO: id }).first()) as ShipmentRow | undefined;
      if (!row || isHidden(req, row.CUST_NO)) throw notFound('shipment of order', id);
      const shown: Shipment = {
        orderId: row.ORD_NO,
        customerId: row.CUST_NO,
        status: STATUS_OF_CODE[row.STAT_CD],
        createdAt: timestampToIso(row.CRT_TS),
      };
      res.json(shown);
    })
    .all(methodNotAllowed('GET'));
  return router;
}
