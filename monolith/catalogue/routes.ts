import express from 'express';
import type { Router } from 'express';
import { decodeCursor, methodNotAllowed, notFound, parse, toPage } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { LIST_NAMES, ListQuery } from '../../contracts/index.ts';
import { findProducts, listProducts } from './products.ts';

export function catalogueRoutes({ read }: Database): Router {
  const router = express.Router();
  router
    .route('/api/products')
    .get(async (req, res) => {
      const { limit, cursor } = parse(ListQuery, req.query, 'query');
      const list = LIST_NAMES.products;
      const after = cursor === undefined ? '' : decodeCursor(list, cursor);
      const products = await listProducts(read, after, limit + 1);
      res.json(
        toPage(
          list,
          products,
          limit,
          ({ sku }) => sku,
          (product) => product,
        ),
      );
    })
    .all(methodNotAllowed('GET'));
  router
    .route('/api/products/:sku')
    .get(async (req, res) => {
      const { sku } = req.params;
      const product = (await findProducts(read, [sku])).get(sku);
      if (!product) throw notFound('product', sku);
      res.json(product);
    })
    .all(methodNotAllowed('GET'));
  return router;
}
