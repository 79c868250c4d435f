import type { Express } from 'express';
import { codeVersion, createFenceGuard, isDatabaseReady } from '../../chassis/index.ts';
import { createHttpApp, databaseFigure, outboxFigures } from '../../chassis/web/index.ts';
import type { Access, Database, Logger } from '../../chassis/index.ts';
import { outbox } from './outbox.ts';
import { inventoryRoutes } from './routes.ts';

interface InventoryAppDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly access: Access;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Nothing is written here before the fence has been opened: the data belongs elsewhere till then. */
export const inventoryGuard = createFenceGuard({ capability: 'inventory', whenAbsent: 'closed' });

/** The inventory service, over a database whose schema is up to date. */
export function buildApp({ database, log, access, now = Date.now }: InventoryAppDeps): Express {
  return createHttpApp({
    name: 'inventory',
    version: codeVersion('extracted/inventory'),
    log,
    access,
    fences: database,
    archive: { database, outbox },
    routes: [inventoryRoutes({ database, guard: inventoryGuard, now })],
    readiness: {
      database: () => isDatabaseReady(database, 'stock_levels'),
    },
    figures: [databaseFigure(database), ...outboxFigures(database, outbox)],
  });
}
