import { allRoutes } from './routes.ts';
import type { Route } from './routes.ts';

/** A request that a page tries. */
export interface Target {
  /** The process, as in `System.urls`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly body: object;
}

export const SKU = 'SHIP-001';
const ORDER = { capability: 'inventory' };
const LINES = [{ sku: SKU, quantity: 1 }];

/** What stands for a parameter of a path, so that there is something to change. */
const PARAMETERS: Readonly<Record<string, string>> = {
  capability: 'inventory',
  sku: SKU,
  kind: 'event',
  upstream: 'monolith',
  decision: 'drop',
};

/** Queries and bodies that a route would take. What has none here is tried with an empty one. */
const QUERIES: Readonly<Record<string, string>> = { 'GET /explain': '?path=/api/products' };
const BODIES: Readonly<Record<string, object>> = {
  'POST /backfills': ORDER,
  'POST /removals': ORDER,
  'POST /reconciles': ORDER,
  'POST /completions': ORDER,
  'POST /repairs': ORDER,
  'POST /handovers': { ...ORDER, to: 'extracted' },
  'POST /shares': { ...ORDER, kind: 'shadow', share: 10 },
  'POST /changes': { ...ORDER, change: { kind: 'audit', on: true } },
  'POST /aborts': { ...ORDER, handover: 'any' },
  'POST /charges': { paymentId: 'evil', amount: 1, currency: 'USD', method: 'card_ok' },
  'POST /api/inventory/:sku/adjustments': { delta: 7, reason: 'count' },
  'POST /api/inventory/reservations': { orderId: 'evil', items: LINES },
  'POST /api/payments': {
    orderId: 'evil',
    customerId: 'evil',
    amount: 1,
    currency: 'USD',
    method: 'card_ok',
  },
};

function targetOf({ process, method, path }: Route): Target {
  const name = `${method} ${path}`;
  const filled = path.replace(/:(\w+)/g, (_all, parameter: string) => PARAMETERS[parameter] ?? '1');
  const query = QUERIES[name] ?? '';
  // The admin port passes the engine's on.
  const body = BODIES[name.replace(' /engine/', ' /')] ?? {};
  return { name: process, method, path: filled + query, body };
}

/** Each route of each process, and the shop's once more through the facade. */
export async function allTargets(): Promise<readonly Target[]> {
  const routes = await allRoutes();
  const shops = routes.filter(
    ({ process, path }) => process === 'monolith' && path.startsWith('/api'),
  );
  return [...routes, ...shops.map((route) => ({ ...route, process: 'facade' }))].map(targetOf);
}
