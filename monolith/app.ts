import express from 'express';
import type { Express } from 'express';
import {
  codeVersion,
  DEFAULT_POLICY,
  isDatabaseReady,
  methodNotAllowed,
  STUCK_AFTER,
} from '../chassis/index.ts';
import { createHttpApp, databaseFigure } from '../chassis/web/index.ts';
import type { Access, AroundStep, Database, HttpClient, Logger } from '../chassis/index.ts';
import type { ReadinessCheck } from '../chassis/web/index.ts';
import { asyncApiDocument, openApiDocument } from '../contracts/index.ts';
import { createCatalogue } from './catalogue/index.ts';
import { createCustomers } from './customers/index.ts';
import { createEventLetters, eventFigures, publishOrderEvent } from './events.ts';
import { outbox } from './outbox.ts';
import { createInventory } from './inventory/index.ts';
import { createOrders } from './orders/index.ts';
import { createPayment } from './payment/index.ts';
import { shippingRoutes } from './shipping/index.ts';
import { startUpkeep } from './upkeep.ts';

interface MonolithDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly access: Access;
  /** The card processor. */
  readonly provider: HttpClient;
  /** Where inventory and payment are once they have moved out. */
  readonly inventoryService: HttpClient;
  readonly paymentService: HttpClient;
  readonly timing?: Partial<Timing>;
  /** How long events are kept that everybody has; milliseconds, for ever when undefined. */
  readonly eventsKeptMs?: number | undefined;
  /** What else must be well before it is ready. */
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>;
  /** What is done around each attempt at a step of an order. */
  readonly aroundStep?: AroundStep;
}

/** All in milliseconds. */
export interface Timing {
  /** How long one call to the card processor may take. */
  readonly providerTimeoutMs: number;
  /** How long to go on asking it. */
  readonly providerPatienceMs: number;
  /** How long a client waits for its order's end before it is told to ask again. */
  readonly orderPatienceMs: number;
  /** How long a dead process's orders wait before they are gone on with. */
  readonly sagaLeaseMs: number;
  /** How long a step that fails again and again waits at most before it is taken anew. */
  readonly stepBackoffMs: number;
  /** How long a step must have failed for good, at least, before it is a dead letter. */
  readonly stepGiveUpMs: number;
  /** For how long a step is repeated whose owner is away, before it is a dead letter. */
  readonly stepRetryMs: number;
  /** How long a shipment can be called off before the goods leave. */
  readonly shipAfterMs: number;
}

export const DEFAULT_TIMING: Timing = {
  providerTimeoutMs: 2_000,
  providerPatienceMs: 5_000,
  orderPatienceMs: 15_000,
  sagaLeaseMs: 5_000,
  stepBackoffMs: 5_000,
  stepGiveUpMs: STUCK_AFTER.ms,
  stepRetryMs: DEFAULT_POLICY.retryForMs,
  shipAfterMs: 60_000,
};

export interface Monolith {
  readonly app: Express;
  /** Starts what runs without a request: unfinished orders and payments, old keys. */
  start(): void;
  /** Stops that, and lets the orders under way come to where they can be gone on with. */
  stop(): Promise<void>;
}

/** The legacy order system, over a database whose schema is up to date. */
export function buildMonolith(deps: MonolithDeps): Monolith {
  const { access, database, log } = deps;
  const timing = { ...DEFAULT_TIMING, ...deps.timing };
  const catalogue = createCatalogue(database);
  const customers = createCustomers(database);
  const inventory = createInventory(database);
  const payment = createPayment({ ...timing, database, log, provider: deps.provider });
  const orders = createOrders({
    database,
    log,
    catalogue,
    customers,
    inventory: { local: inventory.writes, remote: deps.inventoryService },
    payment: { local: payment.writes, remote: deps.paymentService },
    publish: publishOrderEvent,
    patienceMs: timing.orderPatienceMs,
    leaseMs: timing.sagaLeaseMs,
    policy: {
      ...DEFAULT_POLICY,
      longestPauseMs: timing.stepBackoffMs,
      refusals: { ...STUCK_AFTER, ms: timing.stepGiveUpMs },
      retryForMs: timing.stepRetryMs,
    },
    aroundStep: deps.aroundStep,
  });
  const app = createHttpApp({
    name: 'monolith',
    version: codeVersion('monolith'),
    log,
    access,
    fences: database,
    archive: { database, outbox },
    deadLetters: { event: createEventLetters(database), step: orders.deadLetters },
    routes: [
      documentRoutes(),
      catalogue.routes,
      inventory.routes,
      payment.routes,
      orders.routes,
      shippingRoutes(database),
    ],
    readiness: {
      database: () => isDatabaseReady(database, 'CAT_PROD'),
      sagas: orders.readiness,
      ...deps.readiness,
    },
    figures: [databaseFigure(database), ...orders.figures, ...eventFigures(database)],
  });
  let stopUpkeep: (() => void) | undefined;
  return {
    app,
    start() {
      orders.start();
      stopUpkeep = startUpkeep({
        database,
        log,
        inventory,
        payment,
        orders,
        eventsKeptMs: deps.eventsKeptMs,
        shipAfterMs: timing.shipAfterMs,
      });
    },
    async stop() {
      stopUpkeep?.();
      await orders.stop();
    },
  };
}

function documentRoutes(): express.Router {
  const router = express.Router();
  for (const [path, document] of [
    ['/api/openapi.json', openApiDocument('none')],
    ['/api/asyncapi.json', asyncApiDocument()],
  ] as const) {
    router
      .route(path)
      .get((_req, res) => {
        res.json(document);
      })
      .all(methodNotAllowed('GET'));
  }
  return router;
}
