import { describe, expect, it } from '@jest/globals';
import { compareRuns } from '../../contracts/cases/index.ts';
import { contractSuite } from './suite.ts';
import { inventoryTarget, monolithTarget, paymentTarget } from '../../contract-check/index.ts';

const monolith = contractSuite('the monolith', monolithTarget);
const services = {
  inventory: contractSuite('the inventory service', inventoryTarget, { areas: ['inventory'] }),
  payment: contractSuite('the payment service', paymentTarget, { areas: ['payment'] }),
};

describe.each(['inventory', 'payment'] as const)('%s, old and new', (capability) => {
  it('is answered alike, field by field', () => {
    const comparison = compareRuns(monolith(), services[capability]());
    const different = comparison.cases.filter(({ differences }) => differences.length > 0);
    expect(different).toEqual([]);
    expect(comparison.cases.length).toBeGreaterThan(10);
    expect(comparison.ok).toBe(true);
  });
});
