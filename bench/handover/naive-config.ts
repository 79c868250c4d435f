import { serviceUrl } from '../../chassis/index.ts';
import { defineConfig } from '../../routing/index.ts';

const { env } = process;

/** The same routes without mappings: the facade follows the flags alone, and no engine has a say. */
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
    },
    payment: {
      legacy: 'monolith',
      extracted: 'payment',
      routes: ['/api/payments', '/api/payments/*'],
    },
  },
});
