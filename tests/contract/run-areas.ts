import { CASES, runCases } from '../../contracts/cases/index.ts';
import type { Target, TargetRun } from '../../contracts/cases/index.ts';

/** Runs every case of a target, its areas side by side: no two of them share goods or orders. */
export async function runAreas(target: Target): Promise<TargetRun> {
  const runs = await Promise.all(
    target.areas.map((area) =>
      runCases(
        target,
        CASES.filter((contractCase) => contractCase.area === area),
      ),
    ),
  );
  return { target, cases: runs.flatMap(({ cases }) => cases) };
}
