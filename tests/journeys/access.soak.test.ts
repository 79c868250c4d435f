import { expect, it } from '@jest/globals';
import { withSystem } from '../support/index.ts';
import { guarded } from './access-matrix.ts';

const CAPABILITIES = ['inventory', 'payment'];

it(
  'lets every caller do what the contract says, at every stage of both moves and back',
  () =>
    withSystem({ variables: { FIG_AUTH: 'on' } }, async (system) => {
      const { fig, faults, directFaults } = await guarded(system);
      expect(await faults()).toEqual([]);
      expect(await directFaults()).toEqual([]);
      for (const capability of CAPABILITIES) {
        await fig('backfill', capability);
        await fig('shadow', capability, '100');
        expect(['shadow', capability, await faults()]).toEqual(['shadow', capability, []]);
        await fig('ramp', capability, '50');
        expect(['ramp', capability, await faults()]).toEqual(['ramp', capability, []]);
        await fig('ramp', capability, '100');
        await fig('reconcile', capability);
        await fig('switch', capability);
        expect(['moved', capability, await faults()]).toEqual(['moved', capability, []]);
        expect(['moved', capability, await directFaults()]).toEqual(['moved', capability, []]);
      }
      for (const capability of CAPABILITIES) {
        await fig('reverse', capability);
        expect(['back', capability, await faults()]).toEqual(['back', capability, []]);
      }
    }),
  400_000,
);
