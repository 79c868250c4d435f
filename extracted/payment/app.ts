import type { Express } from 'express';
import { codeVersion, isDatabaseReady, requestKeysOf } from '../../chassis/index.ts';
import { createHttpApp, databaseFigure, outboxFigures } from '../../chassis/web/index.ts';
import type { Access, Logger, OperationScope } from '../../chassis/index.ts';
import type { Provider } from './provider.ts';
import { outbox } from './outbox.ts';
import { paymentRoutes } from './routes.ts';

/** Each customer's idempotency keys are that customer's, like all of their rows. */
export const paymentKeys = requestKeysOf('customer_id');

interface PaymentAppDeps {
  readonly scope: OperationScope;
  readonly provider: Provider;
  readonly log: Logger;
  readonly access: Access;
}

/** The payment service, over a database whose schema is up to date. */
export function buildApp({ scope, provider, log, access }: PaymentAppDeps): Express {
  return createHttpApp({
    name: 'payment',
    version: codeVersion('extracted/payment'),
    log,
    access,
    fences: scope.database,
    archive: { database: scope.database, outbox },
    routes: [paymentRoutes(scope, provider)],
    readiness: { database: () => isDatabaseReady(scope.database, 'payments') },
    figures: [databaseFigure(scope.database), ...outboxFigures(scope.database, outbox)],
  });
}
