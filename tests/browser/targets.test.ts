import { expect, it } from '@jest/globals';
import { allTargets } from './targets.ts';

it('what a foreign page tries are all routes of all servers, operators’ among them', async () => {
  const targets = await allTargets();
  const names = targets.map(({ name, method, path }) => `${method} ${name}${path}`);
  expect(names).toEqual(
    expect.arrayContaining([
      'POST engine/handovers',
      'GET engine/barrier/inventory',
      'GET engine/metrics',
      'POST admin/links',
      'GET admin/open',
      'GET admin/explain?path=/api/products',
      'GET admin/events',
      'POST admin/engine/handovers',
      'POST admin/dead-letters/monolith/event/1/drop',
      'GET monolith/fences',
      'GET monolith/dead-letters',
      'POST monolith/dead-letters/event/1/retry',
      'POST monolith/dead-letters/event/1/drop',
      'GET payment/fences',
      'POST payment/api/payments/1/refunds',
      'POST inventory/api/inventory/SHIP-001/adjustments',
      'POST facade/api/inventory/SHIP-001/adjustments',
      'POST provider/charges',
    ]),
  );
  expect(new Set(names).size).toBe(names.length);
});
