import type { Router } from 'express';
import { createFenceGuard } from '../../chassis/index.ts';
import { movedRoutes } from '../../chassis/web/index.ts';
import type { Database, FenceGuard, KeyStore } from '../../chassis/index.ts';
import { inventoryRoutes } from './routes.ts';
import { createInventoryWrites, inventoryKeys } from './writes.ts';
import type { InventoryWrites } from './writes.ts';

export type { InventoryWrites } from './writes.ts';

/** What is in stock here, as long as nobody else owns it. */
export interface Inventory {
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly routes: Router;
  readonly writes: InventoryWrites;
}

/** A monolith that no migration has touched owns its stock. */
export const inventoryGuard: FenceGuard = createFenceGuard({
  capability: 'inventory',
  whenAbsent: 'open',
});

export function createInventory(database: Database): Inventory {
  const writes = createInventoryWrites(database, inventoryGuard);
  return {
    guard: inventoryGuard,
    keys: inventoryKeys,
    routes: movedRoutes({
      database,
      capability: inventoryGuard.capability,
      path: '/api/inventory',
      routes: inventoryRoutes(database, writes),
    }),
    writes,
  };
}
