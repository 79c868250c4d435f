import { join } from 'node:path';
import { dataDirectory, databaseUrl, isAuthOn, readNumber, serviceUrl } from './chassis/index.ts';
import { inventoryInvariants, inventoryMapping } from './migrations/inventory/mapping.ts';
import { inventoryV2 } from './migrations/inventory/translation.ts';
import { paymentInvariants, paymentMapping } from './migrations/payment/mapping.ts';
import { defineConfig } from './routing/index.ts';

const { env } = process;
const monolithDatabase = databaseUrl(env, 'MONOLITH_DATABASE_URL', 'monolith.db');
/** Off where something else is to be proven than that both sides answer alike. */
const contract = env['FIG_CONTRACT'] !== 'off';
const WEEK_MS = 7 * 24 * 60 * 60 * 1_000;
const completion = {
  soakMs: readNumber(env, 'FIG_SOAK_MS', WEEK_MS),
  quietMs: readNumber(env, 'FIG_QUIET_MS', 60 * 60 * 1_000),
  sunset: env['FIG_SUNSET'] || undefined,
};

/** Made when it is asked for: most processes that read this file need none. */
function documentOf(version: 'v1' | 'v2'): () => Promise<object> {
  return async () => (await import('./contracts/index.ts')).openApiDocument(version);
}

/** What moves out of the order monolith, and where to. The only place that Fig learns it from. */
export default defineConfig({
  upstreams: {
    monolith: serviceUrl(env, 'MONOLITH_URL', 4000),
    inventory: serviceUrl(env, 'INVENTORY_URL', 4001),
    payment: serviceUrl(env, 'PAYMENT_URL', 4002),
    notification: serviceUrl(env, 'NOTIFICATION_URL', 4004),
    'order-view': serviceUrl(env, 'ORDER_VIEW_URL', 4005),
  },
  monolith: 'monolith',
  honoursKeys: ['monolith', 'inventory', 'payment'],
  deadLetters: ['monolith', 'notification', 'order-view'],
  services: { 'order-view': ['/api/customers/:id/orders', '/api/order-view'] },
  stickyHeader: 'x-customer-id',
  capabilities: {
    inventory: {
      legacy: 'monolith',
      extracted: 'inventory',
      routes: ['/api/inventory', '/api/inventory/*'],
      // An SKU may hold a slash (`TL 100/2`), and both sides read one in escapes as part of it.
      encodedSlashes: 'pass',
      databases: {
        legacy: monolithDatabase,
        extracted: databaseUrl(env, 'INVENTORY_DATABASE_URL', 'inventory.db'),
      },
      mapping: inventoryMapping,
      cohorts: { off: 'an order holds stock of several customers at once' },
      invariants: inventoryInvariants,
      contract,
      completion: {
        ...completion,
        legacyCode: ['monolith/inventory/', 'migrations/inventory/mapping.ts'],
      },
      ignore: [],
    },
    payment: {
      legacy: 'monolith',
      extracted: 'payment',
      routes: ['/api/payments', '/api/payments/*'],
      databases: {
        legacy: monolithDatabase,
        extracted: databaseUrl(env, 'PAYMENT_DATABASE_URL', 'payment.db'),
      },
      mapping: paymentMapping,
      cohorts: { header: 'x-customer-id' },
      invariants: paymentInvariants,
      contract,
      completion: {
        ...completion,
        legacyCode: ['monolith/payment/', 'migrations/payment/mapping.ts'],
      },
      ignore: [],
    },
  },
  // Off where only this machine reaches the system; FIG_AUTH=on for every process of it.
  gateway: {
    versions: {
      unversioned: { deprecated: '2026-12-01', sunset: '2027-12-01' },
      translated: { v2: inventoryV2 },
    },
    openapi: { documents: { v1: documentOf('v1'), v2: documentOf('v2') } },
    // What the catalogue says changes by an import, and may be as old as this.
    cache: {
      routes: ['/api/products', '/api/products/*'].map((path) => ({ path, ttlMs: 2_000 })),
    },
    compositions: [
      {
        path: '/api/orders/:id/details',
        parts: {
          order: { path: '/api/orders/{id}', required: true },
          payment: { path: '/api/payments/{order.paymentId}' },
          // A reservation names no customer; the order that names it has been shown to its own.
          reservation: {
            path: '/api/inventory/reservations/{order.reservationId}',
            asSystem: true,
          },
          shipment: { path: '/api/orders/{id}/shipment' },
        },
      },
    ],
    auth: isAuthOn(env)
      ? {
          issuer: env['FIG_AUTH_ISSUER'] || 'https://shop.example',
          audience: env['FIG_AUTH_AUDIENCE'] || 'shop',
          ...(env['FIG_AUTH_JWKS']
            ? { jwks: env['FIG_AUTH_JWKS'] }
            : {
                secretFile: env['FIG_AUTH_SECRET_FILE'] || join(dataDirectory(env), 'auth-secret'),
              }),
          rules: (await import('./contracts/index.ts')).accessRules(),
        }
      : undefined,
  },
  // An order reserves stock and charges a card inside the monolith, whoever owns them.
  touches: [
    { method: 'POST', path: '/api/orders', capabilities: ['inventory', 'payment'] },
    { method: 'POST', path: '/api/orders/:id/cancel', capabilities: ['inventory', 'payment'] },
  ],
});
