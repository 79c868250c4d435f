import { CASES, compareRuns, runCases } from '../../contracts/cases/index.ts';
import type { Comparison, TargetRun } from '../../contracts/cases/index.ts';
import { createResources } from './resources.ts';
import type { Capability, MakeTarget } from './targets.ts';

/** Who answers for a capability today, and who is to tomorrow. */
export interface Sides {
  readonly old: MakeTarget;
  readonly new: MakeTarget;
}

/** Starts a target of its own, and runs a capability's cases against it. */
export async function runOn(make: MakeTarget, capability: Capability): Promise<TargetRun> {
  const resources = createResources();
  try {
    const cases = CASES.filter(({ area }) => area === capability);
    return await runCases(await make(resources), cases);
  } finally {
    await resources.close();
  }
}

/** Runs a capability's cases against both of its sides and compares their answers. */
export async function compareSides(capability: Capability, sides: Sides): Promise<Comparison> {
  return compareRuns(await runOn(sides.old, capability), await runOn(sides.new, capability));
}
