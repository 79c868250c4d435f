import type { Router } from 'express';
import type { Database } from '../../chassis/index.ts';
import type { Product } from '../../contracts/index.ts';
import { findProducts } from './products.ts';
import { catalogueRoutes } from './routes.ts';

/** What the shop sells, and at what price. */
export interface Catalogue {
  readonly routes: Router;
  /** Those of the SKUs that exist, by SKU. */
  find(skus: readonly string[]): Promise<ReadonlyMap<string, Product>>;
}

export function createCatalogue(database: Database): Catalogue {
  return {
    routes: catalogueRoutes(database),
    find: (skus) => findProducts(database.read, skus),
  };
}
