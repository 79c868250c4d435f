import { expect } from '@jest/globals';

/** A run that nothing happened in proves nothing. */
export function expectMuchDone(facts: Readonly<Record<string, unknown>>): void {
  expect(facts['outages']).toBeGreaterThan(0);
  expect(facts['orders']).toBeGreaterThan(5);
  expect(facts['byHand']).toBeGreaterThan(20);
}
