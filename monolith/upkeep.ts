import { keepEvents, purgeKeys } from '../chassis/index.ts';
import type { Database, FenceGuard, Logger } from '../chassis/index.ts';
import { outbox } from './outbox.ts';
import type { Inventory } from './inventory/index.ts';
import type { Orders } from './orders/index.ts';
import type { PaymentModule } from './payment/index.ts';
import { shipDue } from './shipping/index.ts';

interface UpkeepDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly inventory: Inventory;
  readonly payment: PaymentModule;
  readonly orders: Orders;
  /** How long events are kept that everybody has; milliseconds, for ever when undefined. */
  readonly eventsKeptMs: number | undefined;
  /** How long a shipment can be called off before the goods leave; milliseconds. */
  readonly shipAfterMs: number;
}

const RESOLVE_EVERY_MS = 1_000;
const SHIP_EVERY_MS = 500;
const PURGE_EVERY_MS = 60 * 60 * 1_000;

/** Orders never move out, so nothing fences them. */
const ALWAYS_OPEN: FenceGuard = {
  capability: 'orders',
  assertOpen: () => Promise.resolve(),
  epoch: () => 0,
  through: (_trx, work) => work(),
  looksOpen: () => Promise.resolve(true),
  openHere: () => Promise.resolve(() => undefined),
};

/**
 * What runs now and then: payments left open are settled, shipments leave, old idempotency keys and events are deleted.
 * @returns stops it
 */
export function startUpkeep(deps: UpkeepDeps): () => void {
  const { database, log, inventory, payment, orders, eventsKeptMs, shipAfterMs } = deps;
  const everyMs = PURGE_EVERY_MS;
  const stops = [
    purgeKeys({ database, log, guard: inventory.guard, keys: inventory.keys, everyMs }),
    purgeKeys({ database, log, guard: payment.guard, keys: payment.keys, everyMs }),
    purgeKeys({ database, log, guard: ALWAYS_OPEN, keys: orders.keys, everyMs }),
    keepEvents({ database, log, outbox, keptMs: eventsKeptMs, receives: true, everyMs }),
    every(RESOLVE_EVERY_MS, () => payment.resolve(), log, 'could not look after open payments'),
    every(SHIP_EVERY_MS, () => shipDue(database, shipAfterMs), log, 'could not ship'),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Does something now and then, and not again before it has ended. @returns stops it */
function every(ms: number, work: () => Promise<unknown>, log: Logger, failure: string): () => void {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    work()
      .catch((error: unknown) => log.error({ err: error }, failure))
      .finally(() => {
        busy = false;
      });
  }, ms);
  timer.unref();
  return () => clearInterval(timer);
}
