import { beforeAll, describe, expect, it } from '@jest/globals';
import { compareRuns } from '../../contracts/cases/index.ts';
import type { Difference, TargetRun } from '../../contracts/cases/index.ts';
import { runOn, SIDES } from '../../contract-check/index.ts';
import { FAULTS } from './faults.ts';
import { inSoak } from '../support/index.ts';
import { faulty } from './faulty.ts';

describe.each(['inventory', 'payment'] as const)('a %s service', (capability) => {
  let monolith: TargetRun;

  beforeAll(async () => {
    monolith = await runOn(SIDES[capability].old, capability);
  });

  it.each(inSoak(FAULTS[capability], FAULTS[capability].slice(0, 2)))(
    'with $name turns the contract red',
    async (fault) => {
      const service = await runOn(faulty(SIDES[capability].new, fault), capability);
      const comparison = compareRuns(monolith, service);
      expect(comparison.ok).toBe(false);
      const found = comparison.cases.flatMap(
        ({ differences }): readonly Difference[] => differences,
      );
      expect(found).toContainEqual(expect.objectContaining(fault.shows));
    },
  );
});
