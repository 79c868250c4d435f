import { ask, CASES, compareRuns, runCases } from '../contracts/cases/index.ts';
import type { Comparison, Target, TargetRun } from '../contracts/cases/index.ts';
import type { Build } from '../routing/index.ts';
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

/** A comparison, and which builds were compared; null for a side that does not tell. */
export interface Compared {
  readonly comparison: Comparison;
  readonly builds: { readonly old: Build | null; readonly new: Build | null };
}

/** The same, and notes which builds it was that answered. */
export async function compareBuilds(capability: Capability, sides: Sides): Promise<Compared> {
  const builds: { old: Build | null; new: Build | null } = { old: null, new: null };
  const noted = (side: 'old' | 'new'): MakeTarget => {
    return async (resources) => {
      const target = await sides[side](resources);
      builds[side] = await buildAt(target);
      return target;
    };
  };
  const comparison = await compareSides(capability, { old: noted('old'), new: noted('new') });
  return { comparison, builds };
}

async function buildAt({ baseUrl, via }: Target): Promise<Build | null> {
  const { body } = await ask('GET', `${baseUrl}/livez`, { via });
  const { name, version } = (body ?? {}) as Partial<Build>;
  return typeof name === 'string' && typeof version === 'string' ? { name, version } : null;
}
