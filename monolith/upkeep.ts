import { keepEvents, purgeKeys } from '../chassis/index.ts';
import type { Database, FenceGuard, Logger } from '../chassis/index.ts';
import { outbox } from './outbox.ts';
import type { Inventory } from './inventory/index.ts';
import type { Orders } from './orders/index.ts';
import type { PaymentModule } from './payment/index.ts';

interface UpkeepDeps {
  readonly database: Database;
  readonly log: Logger;
  readonly inventory: Inventory;
  readonly payment: PaymentModule;
  readonly orders: Orders;
  /** How long events are kept that everybody has; milliseconds, for ever when undefined. */
  readonly eventsKeptMs: number | undefined;
}

const RESOLVE_EVERY_MS = 1_000;
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
 * What runs now and then: payments left open are settled, old idempotency keys deleted.
 * @returns stops it
 */
export function startUpkeep(deps: UpkeepDeps): () => void {
  const { database, log, inventory, payment, orders, eventsKeptMs } = deps;
  const everyMs = PURGE_EVERY_MS;
  const stops = [
    purgeKeys({ database, log, guard: inventory.guard, keys: inventory.keys, everyMs }),
    purgeKeys({ database, log, guard: payment.guard, keys: payment.keys, everyMs }),
    purgeKeys({ database, log, guard: ALWAYS_OPEN, keys: orders.keys, everyMs }),
    keepEvents({ database, log, outbox, keptMs: eventsKeptMs, receives: true, everyMs }),
    resolveNowAndThen(payment, log),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function resolveNowAndThen(payment: PaymentModule, log: Logger): () => void {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    payment
      .resolve()
      .catch((error: unknown) => log.error({ err: error }, 'could not look after open payments'))
      .finally(() => {
        busy = false;
      });
  }, RESOLVE_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
