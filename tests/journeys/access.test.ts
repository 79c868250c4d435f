import { expect, it } from '@jest/globals';
import { withSystem } from '../support/index.ts';
import { guarded } from './access-matrix.ts';

it(
  'lets every caller do what the contract says, before payment has moved and afterwards',
  () =>
    withSystem({ variables: { FIG_AUTH: 'on' } }, async (system) => {
      const { fig, faults, directFaults } = await guarded(system);
      expect(await faults()).toEqual([]);
      expect(await directFaults()).toEqual([]);
      await fig('backfill', 'payment');
      await fig('ramp', 'payment', '100');
      await fig('reconcile', 'payment');
      await fig('switch', 'payment');
      expect(await faults()).toEqual([]);
      expect(await directFaults()).toEqual([]);
    }),
  180_000,
);
