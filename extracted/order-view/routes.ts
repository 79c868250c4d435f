import { Router } from 'express';
import type { Request } from 'express';
import { decodeCursor, methodNotAllowed, parse, toPage } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { hideFromCustomers, isHidden } from '../../chassis/web/index.ts';
import { CustomerOrdersQuery, HEADERS, OrderViewQuery } from '../../contracts/index.ts';
import type { CustomerOrders, OrderViewPage } from '../../contracts/index.ts';
import { isBehind, positionOf, waitOf, wantedOf } from './freshness.ts';
import { liveGeneration } from './generations.ts';
import { listOrders, present, sortKeyOf, totalsOf } from './queries.ts';

/** The order view's part of the HTTP contract. */
export function orderViewRoutes({ read }: Database): Router {
  const router = Router();

  async function pageOf(req: Request, query: OrderViewQuery): Promise<OrderViewPage> {
    const wanted = wantedOf(req.get(HEADERS.eventPosition));
    const wait = waitOf(req.get('prefer'));
    const behind = await isBehind(read, () => liveGeneration(read), wanted, wait);
    const generation = await liveGeneration(read);
    // Before the rows: they may be of a later event than the position says, and never of an earlier one.
    const position = await positionOf(read, generation);
    const { limit, cursor, sort, ...filter } = query;
    const list = `order-view ${JSON.stringify([sort, filter])}`;
    const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
    const rows = await listOrders(read, generation, filter, { sort, after, count: limit + 1 });
    const { items, nextCursor } = toPage(list, rows, limit, sortKeyOf(sort), present);
    return { items: [...items], nextCursor, position, behind };
  }

  router
    .route('/api/customers/:id/orders')
    .get(async (req, res) => {
      const query = parse(CustomerOrdersQuery, req.query, 'query');
      // Another customer's list is as empty as one without orders.
      const customerId = isHidden(req, req.params.id) ? '' : req.params.id;
      const page = await pageOf(req, { ...query, customerId });
      const { limit: _limit, cursor: _cursor, sort: _sort, ...filter } = query;
      const generation = await liveGeneration(read);
      const totals = await totalsOf(read, generation, { ...filter, customerId });
      const answer: CustomerOrders = { ...page, totals };
      res.json(answer);
    })
    .all(methodNotAllowed('GET'));

  router.use('/api/order-view', hideFromCustomers);
  router
    .route('/api/order-view')
    .get(async (req, res) => {
      res.json(await pageOf(req, parse(OrderViewQuery, req.query, 'query')));
    })
    .all(methodNotAllowed('GET'));

  return router;
}
