import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CASES, runCase } from '../../contracts/cases/index.ts';
import type { CaseRun, Target, TargetRun } from '../../contracts/cases/index.ts';
import { createResources } from '../../contract-check/index.ts';
import type { MakeTarget } from '../../contract-check/index.ts';

interface SuiteOptions {
  /** Only the cases of these areas; those that the target serves when absent. */
  readonly areas?: readonly Target['areas'][number][];
}

/**
 * The contract as a jest suite, one test a case, against any target.
 * @returns what the target answered, for comparing; complete when the suite has run
 */
export function contractSuite(
  title: string,
  make: MakeTarget,
  { areas }: SuiteOptions = {},
): () => TargetRun {
  const resources = createResources();
  const runs: CaseRun[] = [];
  let target: Target | undefined;

  describe(title, () => {
    beforeAll(async () => {
      target = await make(resources);
    });
    afterAll(() => resources.close());

    for (const contractCase of CASES) {
      if (areas && !areas.includes(contractCase.area)) continue;
      it(contractCase.name, async () => {
        if (!target) throw new Error('the target did not start');
        const run = await runCase(target, contractCase);
        runs.push(run);
        expect(run.broken).toBeNull();
      });
    }
  });
  return () => {
    if (!target) throw new Error('the target did not start');
    return { target, cases: runs };
  };
}
