import type { Express } from 'express';
import { codeVersion, createEventDeadLetters, isDatabaseReady } from '../../chassis/index.ts';
import type { Access, Database, EventSubscriber, Logger } from '../../chassis/index.ts';
import { createHttpApp, databaseFigure } from '../../chassis/web/index.ts';
import { listProjections } from './generations.ts';
import { projectionRoutes } from './projection-routes.ts';
import { orderViewRoutes } from './routes.ts';

interface OrderViewAppDeps {
  readonly database: Database;
  readonly subscriber: EventSubscriber;
  readonly log: Logger;
  readonly access: Access;
}

/** The order view, over a database whose schema is up to date. */
export function buildApp({ database, subscriber, log, access }: OrderViewAppDeps): Express {
  return createHttpApp({
    name: 'order-view',
    version: codeVersion('extracted/order-view'),
    log,
    access,
    routes: [projectionRoutes(access, database), orderViewRoutes(database)],
    deadLetters: { event: createEventDeadLetters(database, [subscriber]) },
    readiness: { database: () => isDatabaseReady(database, 'order_rows') },
    figures: [
      databaseFigure(database),
      {
        name: 'fig_projection_generation',
        help: 'Generation of each projection that is shown',
        labels: ['projection'],
        read: async () =>
          (await listProjections(database.read)).map(({ name, live }) => {
            return { value: live, labels: { projection: name } };
          }),
      },
      {
        name: 'fig_projection_events_to_replay',
        help: 'Events of the archives that a rebuild has not replayed; 0 while there is none',
        labels: ['projection'],
        read: async () =>
          (await listProjections(database.read)).map(({ name, progress }) => {
            const value = progress ? progress.total - progress.replayed : 0;
            return { value, labels: { projection: name } };
          }),
      },
    ],
  });
}
