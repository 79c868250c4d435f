import type { System } from '../../system/index.ts';
import { request } from '../support/request.ts';

/** What came of the requests of customers. */
export interface Customers {
  /** How many of their requests were answered, by status. */
  readonly answers: ReadonlyMap<number, number>;
  /** Requests without any answer. */
  readonly unanswered: readonly string[];
}

const SKUS = ['SHIP-001', 'SHIP-002', 'SHIP-003', 'SHIP-004'];
const NAMES = ['CORK', 'BREST'];

interface Wanted {
  /** How many customers there are; each sends one request after the other. */
  readonly customers: number;
  /** How long each thinks before its next request, in ms. */
  readonly thinkMs: number;
}

/**
 * Has customers look at goods and order them, through the facade, while `use` runs. They stop when it fails,
 * too: else they would keep the process for good.
 */
export async function withCustomers(
  system: System,
  { customers, thinkMs }: Wanted,
  use: (customers: Customers) => Promise<void>,
): Promise<Customers> {
  const answers = new Map<number, number>();
  const unanswered: string[] = [];
  let stopped = false;
  let sequence = 0;
  const send = async (method: string, path: string, body?: object): Promise<void> => {
    sequence += 1;
    const customer = NAMES[sequence % NAMES.length] ?? '';
    const headers = {
      'x-customer-id': customer,
      ...(method === 'POST' ? { 'idempotency-key': `console-${sequence}` } : {}),
    };
    try {
      const { status } = await request(method, `${system.urls['facade']}${path}`, {
        headers,
        ...(body === undefined ? {} : { body }),
        timeoutMs: 20_000,
      });
      answers.set(status, (answers.get(status) ?? 0) + 1);
    } catch (error) {
      unanswered.push(`${method} ${path}: ${String(error)}`);
    }
  };
  const shop = async (which: number): Promise<void> => {
    for (let turn = which; !stopped; turn += 1) {
      const sku = SKUS[turn % SKUS.length] ?? '';
      if (turn % 6 === 0) {
        const customerId = NAMES[(sequence + 1) % NAMES.length];
        const items = [{ sku, quantity: 1 }];
        await send('POST', '/api/orders', { customerId, items, paymentMethod: 'card_ok' });
      } else if (turn % 6 === 3) {
        await send('POST', `/api/inventory/${sku}/adjustments`, { delta: 1, reason: 'count' });
      } else if (turn % 6 === 4) {
        await send('GET', '/api/payments?limit=5');
      } else await send('GET', `/api/inventory/${sku}`);
      await new Promise((resolve) => setTimeout(resolve, thinkMs));
    }
  };
  const shopping = Array.from({ length: customers }, (_none, which) => shop(which));
  try {
    await use({ answers, unanswered });
  } finally {
    stopped = true;
    await Promise.all(shopping);
  }
  return { answers, unanswered };
}
