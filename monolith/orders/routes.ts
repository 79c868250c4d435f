import express from 'express';
import type { Response, Router } from 'express';
import {
  decodeCursor,
  keyedRequestOf,
  methodNotAllowed,
  notFound,
  parse,
  sendKeyedAnswer,
  toPage,
} from '../../chassis/index.ts';
import { isHidden } from '../../chassis/web/index.ts';
import type { Database, KeyedAnswer, KeyedRequest } from '../../chassis/index.ts';
import { HEADERS, LIST_NAMES, OrderListQuery, OrderRequest } from '../../contracts/index.ts';
import type { Order, OrderHistory } from '../../contracts/index.ts';
import { outbox } from '../outbox.ts';
import { findOrder, listOrders } from './rows.ts';

/** What changes orders; each takes effect once for its key. */
export interface OrderWrites {
  place(body: OrderRequest, request: KeyedRequest): Promise<KeyedAnswer>;
  cancel(orderId: string, request: KeyedRequest): Promise<KeyedAnswer>;
}

const idOf = ({ id }: Order): string => id;

/** The orders part of the HTTP contract. */
export function orderRoutes(
  { read }: Database,
  writes: OrderWrites,
  historyOf: (order: Order) => Promise<OrderHistory>,
): Router {
  const router = express.Router();

  /** By this, a read of the order view sees the write. */
  async function tellPosition(res: Response, { answer }: KeyedAnswer): Promise<void> {
    if (answer.status >= 400) return;
    const { id } = answer.body as Order;
    const last = await outbox.last(read, { source: '/orders', subject: id });
    if (!last) return;
    res.set(HEADERS.eventPosition, `orders/${id}@${last.event.epoch}.${last.sequence}`);
  }

  router
    .route('/api/orders')
    .get(async (req, res) => {
      const { customerId, limit, cursor } = parse(OrderListQuery, req.query, 'query');
      const list = LIST_NAMES.ordersOf(customerId);
      const after = cursor === undefined ? '' : decodeCursor(list, cursor);
      // Another customer's list is as empty as one without orders.
      const orders = isHidden(req, customerId)
        ? []
        : await listOrders(read, customerId, after, limit + 1);
      res.json(toPage(list, orders, limit, idOf, (order) => order));
    })
    .post(async (req, res) => {
      const body = parse(OrderRequest, req.body);
      if (isHidden(req, body.customerId)) throw notFound('customer', body.customerId);
      const placed = await writes.place(body, keyedRequestOf(req, body));
      await tellPosition(res, placed);
      sendKeyedAnswer(res, placed);
    })
    .all(methodNotAllowed('GET', 'POST'));

  router
    .route('/api/orders/:id')
    .get(async (req, res) => {
      const order = await findOrder(read, req.params.id);
      if (!order || isHidden(req, order.customerId)) throw notFound('order', req.params.id);
      res.json(order);
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/orders/:id/history')
    .get(async (req, res) => {
      const order = await findOrder(read, req.params.id);
      if (!order || isHidden(req, order.customerId)) throw notFound('order', req.params.id);
      res.json(await historyOf(order));
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/api/orders/:id/cancel')
    .post(async (req, res) => {
      const { id } = req.params;
      const order = await findOrder(read, id);
      if (order && isHidden(req, order.customerId)) throw notFound('order', id);
      const cancelled = await writes.cancel(id, keyedRequestOf(req, undefined));
      await tellPosition(res, cancelled);
      sendKeyedAnswer(res, cancelled);
    })
    .all(methodNotAllowed('POST'));

  return router;
}
