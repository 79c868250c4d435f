import { Router } from 'express';
import type { Request, Response } from 'express';
import {
  decodeCursor,
  effectOnce,
  keyedRequestOf,
  methodNotAllowed,
  notFound,
  parse,
  requestKeys,
  sendKeyedAnswer,
  toPage,
} from '../../chassis/index.ts';
import { hideFromCustomers } from '../../chassis/web/index.ts';
import type { Database, Effect, FenceGuard, Transaction } from '../../chassis/index.ts';
import {
  AdjustmentRequest,
  LIST_NAMES,
  ListQuery,
  ReservationRequest,
} from '../../contracts/index.ts';
import type { StockLevel } from '../../contracts/index.ts';
import { adjust } from './adjustments.ts';
import { outbox } from './outbox.ts';
import { commit, findReservation, release, reserve } from './reservations.ts';
import { findLevel, listLevels } from './stock.ts';

export interface InventoryDeps {
  readonly database: Database;
  readonly guard: FenceGuard;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

type Work = (trx: Transaction, now: number) => Promise<Effect>;

const skuOf = ({ sku }: StockLevel): string => sku;
const same = (level: StockLevel): StockLevel => level;

/** The inventory part of the HTTP contract. */
export function inventoryRoutes(deps: InventoryDeps): Router {
  const { database } = deps;
  const router = Router();

  async function write(req: Request, res: Response, body: unknown, work: Work): Promise<void> {
    const scope = { ...deps, keys: requestKeys, outbox };
    sendKeyedAnswer(res, await effectOnce(scope, keyedRequestOf(req, body), work));
  }

  router
    .route('/api/inventory')
    .get(async (req, res) => {
      const { limit, cursor } = parse(ListQuery, req.query, 'query');
      const after = cursor === undefined ? undefined : decodeCursor(LIST_NAMES.inventory, cursor);
      const levels = await listLevels(database.read, after, limit + 1);
      res.json(toPage(LIST_NAMES.inventory, levels, limit, skuOf, same));
    })
    .all(methodNotAllowed('GET'));

  // A reservation names its order, and no customer.
  router.use('/api/inventory/reservations', hideFromCustomers);

  router
    .route('/api/inventory/reservations')
    .post(async (req, res) => {
      const body = parse(ReservationRequest, req.body);
      await write(req, res, body, (trx, now) => reserve(trx, body, now));
    })
    .all(methodNotAllowed('POST'));

  router
    .route('/api/inventory/reservations/:id')
    .get(async (req, res) => {
      const reservation = await findReservation(database.read, req.params.id);
      if (!reservation) throw notFound('reservation', req.params.id);
      res.json(reservation);
    })
    .all(methodNotAllowed('GET'));

  for (const [verb, act] of [
    ['commit', commit],
    ['release', release],
  ] as const) {
    router
      .route(`/api/inventory/reservations/:id/${verb}`)
      .post((req, res) => write(req, res, undefined, (trx, now) => act(trx, req.params.id, now)))
      .all(methodNotAllowed('POST'));
  }

  router
    .route('/api/inventory/:sku')
    .get(async (req, res) => {
      const level = await findLevel(database.read, req.params.sku);
      if (!level) throw notFound('stock of SKU', req.params.sku);
      res.json(level);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/inventory/:sku/adjustments')
    .post(async (req, res) => {
      const body = parse(AdjustmentRequest, req.body);
      await write(req, res, body, (trx, now) => adjust(trx, req.params.sku, body, now));
    })
    .all(methodNotAllowed('POST'));

  return router;
}
