import type { Router } from 'express';
import { sagaCheck, sagaFigure } from '../../chassis/web/index.ts';
import type { Figure, ReadinessCheck } from '../../chassis/web/index.ts';
import { createSagaRunner, createStepDeadLetters, joined } from '../../chassis/index.ts';
import type {
  AroundStep,
  Database,
  DeadLetterSource,
  HttpClient,
  KeyStore,
  Logger,
  StepPolicy,
} from '../../chassis/index.ts';
import type { Catalogue } from '../catalogue/index.ts';
import type { Customers } from '../customers/index.ts';
import type { InventoryWrites } from '../inventory/index.ts';
import type { PaymentWrites } from '../payment/index.ts';
import { answerWhenDone } from './answering.ts';
import type { Publish } from './events.ts';
import { openCancelling, openPlacing } from './order-draft.ts';
import { localInventory, remoteInventory } from './ports/inventory-port.ts';
import { owned } from './ports/owned.ts';
import { localPayment, remotePayment } from './ports/payment-port.ts';
import { historyOf } from './order-history.ts';
import { orderRoutes } from './routes.ts';
import type { OrderWrites } from './routes.ts';
import { orderKeys, orderSagas } from './sagas.ts';

export type { OrderEventType, Publish } from './events.ts';
export { orderSagaDesks } from './sagas.ts';

/** Orders: what ties catalogue, customers, inventory and payment together. */
export interface Orders {
  readonly keys: KeyStore;
  readonly routes: Router;
  /** Steps that fail for good: their owner refuses them, or a program is wrong. */
  readonly deadLetters: DeadLetterSource;
  /** For monitors. */
  readonly figures: readonly Figure[];
  /** Says which orders wait for an operator. */
  readonly readiness: ReadinessCheck;
  /** Starts to pick up orders that a crash left half done. */
  start(): void;
  stop(): Promise<void>;
}

interface OrdersDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly catalogue: Catalogue;
  readonly customers: Customers;
  /** Both owners of each capability; which one it is shows when it is called. */
  readonly inventory: { readonly local: InventoryWrites; readonly remote: HttpClient };
  readonly payment: { readonly local: PaymentWrites; readonly remote: HttpClient };
  readonly publish: Publish;
  /** How long a client waits for its order's end before it is told to ask again; milliseconds. */
  readonly patienceMs: number;
  /** How long a dead process's orders wait before they are gone on with; milliseconds. */
  readonly leaseMs: number;
  /** What a step may take before its order is stuck. */
  readonly policy: StepPolicy;
  readonly aroundStep?: AroundStep | undefined;
}

export function createOrders(deps: OrdersDeps): Orders {
  const { database, log, leaseMs } = deps;
  const keys = orderKeys;
  const scope = { ...deps, keys };
  const sagas = orderSagas({
    ...scope,
    inventory: owned({
      local: localInventory(deps.inventory.local),
      remote: remoteInventory(deps.inventory.remote),
    }),
    payment: owned({
      local: localPayment(deps.payment.local),
      remote: remotePayment(deps.payment.remote),
    }),
  });
  const { place, cancel } = sagas;
  const running = { log, leaseMs, ...(deps.aroundStep && { around: deps.aroundStep }) };
  const placing = createSagaRunner({ ...place, ...running });
  const cancelling = createSagaRunner({ ...cancel, ...running });
  const writes: OrderWrites = {
    async place(body, request) {
      const draft = await openPlacing(scope, body, request, placing.lease);
      return answerWhenDone(scope, placing, request, draft);
    },
    async cancel(orderId, request) {
      const draft = await openCancelling(scope, orderId, request, cancelling.lease);
      return answerWhenDone(scope, cancelling, request, draft);
    },
  };
  const routes = orderRoutes(database, writes, (order) => historyOf(sagas, order));
  return {
    keys,
    routes,
    deadLetters: joined([createStepDeadLetters(place), createStepDeadLetters(cancel)]),
    figures: [sagaFigure([place, cancel])],
    readiness: sagaCheck([place, cancel], 'bin/shop sagas list'),
    start() {
      placing.start();
      cancelling.start();
    },
    async stop() {
      await Promise.all([placing.stop(), cancelling.stop()]);
    },
  };
}
