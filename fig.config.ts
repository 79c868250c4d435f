import { databaseUrl, serviceUrl } from './chassis/index.ts';
import { inventoryMapping } from './migrations/inventory/mapping.ts';
import { paymentMapping } from './migrations/payment/mapping.ts';
import { defineConfig } from './strangler/routing/index.ts';

const { env } = process;
const monolithDatabase = databaseUrl(env, 'MONOLITH_DATABASE_URL', 'monolith.db');

/** What moves out of the order monolith, and where to. The only place that Fig learns it from. */
export default defineConfig({
  upstreams: {
    monolith: serviceUrl(env, 'MONOLITH_URL', 4000),
    inventory: serviceUrl(env, 'INVENTORY_URL', 4001),
    payment: serviceUrl(env, 'PAYMENT_URL', 4002),
  },
  monolith: 'monolith',
  stickyHeader: 'x-customer-id',
  capabilities: {
    inventory: {
      legacy: 'monolith',
      extracted: 'inventory',
      routes: ['/api/inventory', '/api/inventory/*'],
      databases: {
        legacy: monolithDatabase,
        extracted: databaseUrl(env, 'INVENTORY_DATABASE_URL', 'inventory.db'),
      },
      mapping: inventoryMapping,
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
      ignore: [],
    },
  },
  // An order reserves stock and charges a card inside the monolith, whoever owns them.
  touches: [
    { method: 'POST', path: '/api/orders', capabilities: ['inventory', 'payment'] },
    { method: 'POST', path: '/api/orders/:id/cancel', capabilities: ['inventory', 'payment'] },
  ],
});
