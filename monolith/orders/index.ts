import type { Router } from 'express';
import type { Figure, FigureValue } from '../../chassis/web/index.ts';
import {
  backoffUpTo,
  createSagaRunner,
  createStepDeadLetters,
  joined,
  STUCK_AFTER,
} from '../../chassis/index.ts';
import type {
  Database,
  DeadLetterSource,
  HttpClient,
  KeyStore,
  Logger,
} from '../../chassis/index.ts';
import type { Catalogue } from '../catalogue/index.ts';
import type { Customers } from '../customers/index.ts';
import type { InventoryWrites } from '../inventory/index.ts';
import { createLegacyKeys } from '../legacy/index.ts';
import type { PaymentWrites } from '../payment/index.ts';
import { answerWhenDone } from './answering.ts';
import { cancelSaga } from './cancel.ts';
import type { Cancelling } from './cancel.ts';
import type { Publish } from './events.ts';
import { openCancelling, openPlacing } from './order-draft.ts';
import { placeSaga } from './place.ts';
import type { Placing } from './place.ts';
import { localInventory, remoteInventory } from './ports/inventory-port.ts';
import { owned } from './ports/owned.ts';
import { localPayment, remotePayment } from './ports/payment-port.ts';
import { orderRoutes } from './routes.ts';
import { createSagaStore } from './saga-store.ts';

export type { OrderEventType, Publish } from './events.ts';

/** Orders: what ties catalogue, customers, inventory and payment together. */
export interface Orders {
  readonly keys: KeyStore;
  readonly routes: Router;
  /** Steps that fail for good: their owner refuses them, or a program is wrong. */
  readonly deadLetters: DeadLetterSource;
  /** For monitors. */
  readonly figures: readonly Figure[];
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
  /** How long a step that fails again and again waits at most before it is taken anew; milliseconds. */
  readonly stepBackoffMs: number;
  /** How long a step must have failed for good, at least, before it is a dead letter; milliseconds. */
  readonly stepGiveUpMs: number;
}

async function statesOf({
  definition: { type },
  store,
}: {
  readonly definition: { readonly type: string };
  readonly store: Pick<ReturnType<typeof createSagaStore>, 'countUnderWay'>;
}): Promise<FigureValue[]> {
  return Object.entries(await store.countUnderWay()).map(([state, value]) => {
    return { value, labels: { type, state } };
  });
}

export function createOrders(deps: OrdersDeps): Orders {
  const { database, log, leaseMs } = deps;
  const backoffMs = backoffUpTo(deps.stepBackoffMs);
  const keys = createLegacyKeys('ORD_IDEM');
  const scope = { ...deps, keys };
  const sagas = {
    keys,
    publish: deps.publish,
    inventory: owned({
      local: localInventory(deps.inventory.local),
      remote: remoteInventory(deps.inventory.remote),
    }),
    payment: owned({
      local: localPayment(deps.payment.local),
      remote: remotePayment(deps.payment.remote),
    }),
  };
  const place = {
    definition: placeSaga(sagas),
    store: createSagaStore<Placing>(database, 'place'),
  };
  const cancel = {
    definition: cancelSaga(sagas),
    store: createSagaStore<Cancelling>(database, 'cancel'),
  };
  const stuckAfter = { ...STUCK_AFTER, ms: deps.stepGiveUpMs };
  const placing = createSagaRunner({ ...place, log, leaseMs, backoffMs, stuckAfter });
  const cancelling = createSagaRunner({ ...cancel, log, leaseMs, backoffMs, stuckAfter });
  const routes = orderRoutes(database, {
    async place(body, request) {
      const draft = await openPlacing(scope, body, request, placing.lease);
      return answerWhenDone(scope, placing, request, draft);
    },
    async cancel(orderId, request) {
      const draft = await openCancelling(scope, orderId, request, cancelling.lease);
      return answerWhenDone(scope, cancelling, request, draft);
    },
  });
  return {
    keys,
    routes,
    deadLetters: joined([createStepDeadLetters(place), createStepDeadLetters(cancel)]),
    figures: [
      {
        name: 'fig_sagas',
        help: 'Sagas that have not ended, by type and state',
        labels: ['type', 'state'],
        read: async () => (await Promise.all([place, cancel].map(statesOf))).flat(),
      },
    ],
    start() {
      placing.start();
      cancelling.start();
    },
    async stop() {
      await Promise.all([placing.stop(), cancelling.stop()]);
    },
  };
}
