import { setTimeout as delay } from 'node:timers/promises';
import type { Customers } from './customer.ts';
import type { PlannedOrder } from './dataset.ts';

/** Orders on their way through the system, and how far they have come. */
export interface Traffic {
  /** Orders that have been taken up, as a share of all of them: more than 1 when they began again. */
  progress(): number;
  /** Resolves when that share has been taken up. */
  reached(share: number): Promise<void>;
  /**
   * Up to this share orders flow freely. Beyond it they trickle, and begin again when all were placed, so
   * that whatever the operator is doing right now meets live traffic, however slow the machine. With 1 the
   * rest flows, and ends.
   */
  allow(share: number): void;
  /** No further order is taken up. */
  stop(): void;
  readonly done: Promise<void>;
}

interface TrafficOptions {
  readonly concurrency: number;
  readonly signal?: AbortSignal;
}

/** How long all the orders last when they only trickle, and the longest time between two of them. */
const TRICKLE_ALL_MS = 33_000;
const TRICKLE_MS = 100;

/**
 * The orders, and the same again for as long as anybody takes some, under numbers of their own. Those are
 * cancelled, so that the stock outlasts them.
 * @param index from 0
 */
export function orderAt(orders: readonly PlannedOrder[], index: number): PlannedOrder | undefined {
  const order = orders[index % orders.length];
  const round = Math.floor(index / orders.length);
  if (order === undefined || round === 0) return order;
  return { ...order, number: `${order.number}-${round + 1}`, cancel: true };
}

/** Starts `concurrency` clients that take the orders in their order. */
export function startTraffic(
  orders: readonly PlannedOrder[],
  customers: Customers,
  { concurrency, signal }: TrafficOptions,
): Traffic {
  let taken = 0;
  let allowed = 1;
  let stopped = false;
  const trickleMs = Math.min(TRICKLE_MS, TRICKLE_ALL_MS / orders.length);
  let waiting: { readonly share: number; resolve(): void; reject(reason: unknown): void }[] = [];
  const progress = (): number => (orders.length === 0 ? 1 : taken / orders.length);

  function announce(): void {
    const share = progress();
    for (const waiter of waiting) if (share >= waiter.share) waiter.resolve();
    waiting = waiting.filter((waiter) => share < waiter.share);
  }

  async function client(): Promise<void> {
    while (!stopped && signal?.aborted !== true) {
      if (progress() >= allowed) await delay(trickleMs * concurrency);
      if (taken >= orders.length && allowed >= 1) return;
      const order = orderAt(orders, taken);
      if (!order) return;
      taken += 1;
      announce();
      await customers.order(order);
    }
  }

  signal?.addEventListener('abort', () => {
    for (const waiter of waiting) waiter.reject(signal.reason);
  });

  return {
    progress,
    reached: (share) =>
      new Promise((resolve, reject) => {
        waiting.push({ share, resolve, reject });
        announce();
      }),
    allow: (share) => {
      allowed = share;
    },
    stop: () => {
      stopped = true;
    },
    done: Promise.all(Array.from({ length: concurrency }, client)).then(() => undefined),
  };
}
