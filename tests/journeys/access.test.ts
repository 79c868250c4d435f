import { expect, it } from '@jest/globals';
import { withSystem } from '../support/index.ts';
import { guarded } from './access-matrix.ts';

it(
  'lets every caller do what the contract says',
  () =>
    withSystem({ variables: { FIG_AUTH: 'on' } }, async (system) => {
      const { faults, directFaults } = await guarded(system);
      expect(await faults()).toEqual([]);
      expect(await directFaults()).toEqual([]);
    }),
  180_000,
);
