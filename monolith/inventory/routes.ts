import express from 'express';
import type { Router } from 'express';
import {
  decodeCursor,
  keyedRequestOf,
  methodNotAllowed,
  notFound,
  parse,
  sendKeyedAnswer,
  toPage,
} from '../../chassis/index.ts';
import { hideFromCustomers } from '../../chassis/web/index.ts';
import type { Database } from '../../chassis/index.ts';
import {
  AdjustmentRequest,
  LIST_NAMES,
  ListQuery,
  ReservationRequest,
} from '../../contracts/index.ts';
import type { StockLevel } from '../../contracts/index.ts';
import type { InventoryWrites } from './writes.ts';
import { findReservation } from './reservations.ts';
import { findLevel, listLevels } from './stock.ts';

const skuOf = ({ sku }: StockLevel): string => sku;

/** The inventory part of the HTTP contract. */
export function inventoryRoutes({ read }: Database, writes: InventoryWrites): Router {
  const router = express.Router();

  router
    .route('/api/inventory')
    .get(async (req, res) => {
      const { limit, cursor } = parse(ListQuery, req.query, 'query');
      const after = cursor === undefined ? '' : decodeCursor(LIST_NAMES.inventory, cursor);
      const levels = await listLevels(read, after, limit + 1);
      res.json(toPage(LIST_NAMES.inventory, levels, limit, skuOf, (level) => level));
    })
    .all(methodNotAllowed('GET'));

  // A reservation names its order, and no customer.
  router.use('/api/inventory/reservations', hideFromCustomers);

  router
    .route('/api/inventory/reservations')
    .post(async (req, res) => {
      const body = parse(ReservationRequest, req.body);
      sendKeyedAnswer(res, await writes.reserve(body, keyedRequestOf(req, body)));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/inventory/reservations/:id')
    .get(async (req, res) => {
      const reservation = await findReservation(read, req.params.id);
      if (!reservation) throw notFound('reservation', req.params.id);
      res.json(reservation);
    })
    .all(methodNotAllowed('GET'));

  for (const verb of ['commit', 'release'] as const) {
    router
      .route(`/api/inventory/reservations/:id/${verb}`)
      .post(async (req, res) => {
        sendKeyedAnswer(res, await writes[verb](req.params.id, keyedRequestOf(req, undefined)));
      })
      .all(methodNotAllowed('POST'));
  }

  router
    .route('/api/inventory/:sku')
    .get(async (req, res) => {
      const level = await findLevel(read, req.params.sku);
      if (!level) throw notFound('stock of SKU', req.params.sku);
      res.json(level);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/inventory/:sku/adjustments')
    .post(async (req, res) => {
      const body = parse(AdjustmentRequest, req.body);
      sendKeyedAnswer(res, await writes.adjust(req.params.sku, body, keyedRequestOf(req, body)));
    })
    .all(methodNotAllowed('POST'));

  return router;
}
