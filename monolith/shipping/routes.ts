import express from 'express';
import type { Router } from 'express';
import { methodNotAllowed, notFound } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { isHidden } from '../../chassis/web/index.ts';
import type { Shipment } from '../../contracts/index.ts';
import { timestampToIso } from '../legacy/index.ts';

interface ShipmentRow {
  readonly ORD_NO: string;
  readonly CUST_NO: string;
  /** `R` ready, or shipped where SHIP_TS says when; `X` called off. */
  readonly STAT_CD: 'R' | 'X';
  readonly SHIP_TS: string | null;
  readonly CRT_TS: string;
}

function present(row: ShipmentRow): Shipment {
  const left = row.SHIP_TS === null ? 'ready' : 'shipped';
  return {
    orderId: row.ORD_NO,
    customerId: row.CUST_NO,
    status: row.STAT_CD === 'X' ? 'called_off' : left,
    createdAt: timestampToIso(row.CRT_TS),
    shippedAt: row.SHIP_TS === null ? null : timestampToIso(row.SHIP_TS),
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
      res.json(present(row));
    })
    .all(methodNotAllowed('GET'));
  return router;
}
