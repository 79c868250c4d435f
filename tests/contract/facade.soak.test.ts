import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CASES, compareRuns, runCases } from '../../contracts/cases/index.ts';
import type { Target, TargetRun } from '../../contracts/cases/index.ts';
import { eventually } from '../support/index.ts';
import { CAPABILITIES, STAGES } from './facade-stages.ts';
import type { Stage } from './facade-stages.ts';
import { answersOf, facadeTarget, statusOf } from './facade-target.ts';
import { FAULTS } from './faults.ts';
import type { SeededFault } from './faults.ts';
import { damagingProxy } from './faulty.ts';
import { createResources, monolithTarget, serve } from '../../contract-check/index.ts';
import { runAreas } from './run-areas.ts';
import { openFacade, openSystem } from './running-system.ts';
import type { RunningSystem } from './running-system.ts';
import type { Capability } from '../../contract-check/index.ts';

const resources = createResources();
let running: RunningSystem;
let monolith: TargetRun;

beforeAll(async () => {
  running = await openSystem(resources);
  monolith = await runAreas(await monolithTarget(resources));
});
afterAll(() => resources.close());

/** Takes the steps to a stage, and waits until the facade knows. */
async function enter({ steps, owner, reads }: Stage): Promise<void> {
  await Promise.all(
    CAPABILITIES.map(async (capability) => {
      for (const words of steps(capability)) await running.fig(...words);
    }),
  );
  const wanted = CAPABILITIES.map((name) => ({ name, owner, flags: { reads } }));
  await eventually(async () => {
    expect((await statusOf(running.facade)).capabilities).toMatchObject(wanted);
  });
}

/** How many reads of a capability's cases were answered with what they asked for. */
function readsOf({ cases }: TargetRun, capability: Capability): number {
  return cases
    .filter(({ area }) => area === capability)
    .flatMap(({ exchanges }) => exchanges)
    .filter(({ method, answer }) => method === 'GET' && answer.status === 200).length;
}

describe('the facade answers like the monolith', () => {
  it.each(STAGES)('$name', async (stage) => {
    await enter(stage);
    const before = await statusOf(running.facade);
    const run = await runAreas(
      facadeTarget(running.facade, `facade, ${stage.name}`, stage.patient),
    );
    const { cases, ok } = compareRuns(monolith, run);
    const wrong = cases.filter(({ differences, broken }) => differences.length > 0 || broken.new);
    expect(wrong).toEqual([]);
    expect([ok, cases.length]).toEqual([true, CASES.length]);

    const after = await statusOf(running.facade);
    for (const capability of CAPABILITIES) {
      const [now, then] = [answersOf(after, capability), answersOf(before, capability)];
      const made = { legacy: now.legacy - then.legacy, extracted: now.extracted - then.extracted };
      const answering = (['legacy', 'extracted'] as const).filter((side) => made[side] > 0);
      if (stage.answering) expect([capability, answering]).toEqual([capability, stage.answering]);
      const reader = stage.reads === 100 ? 'extracted' : 'legacy';
      if (stage.patient && stage.reads !== 50) {
        expect(made[reader]).toBeGreaterThanOrEqual(readsOf(run, capability));
      }
    }
  });

  it('and has found no difference when it asked both sides', async () => {
    for (const { experiments } of (await statusOf(running.facade)).capabilities) {
      expect(experiments.mismatches).toEqual([]);
      expect(experiments.compared).toBeGreaterThan(10);
    }
  });
});

const SEEDED = new Set(['a renamed field', 'a changed status', 'a lost header']);
/** Cases in which each of these faults shows. */
const SHOWING = new Set([
  'the stock of one SKU is shown, and that of an unknown one is not found',
  'the same key and body adjust once, another body is refused',
]);

describe('behind a facade that sends all reads to it, the inventory service', () => {
  let fault: SeededFault | undefined;
  let target: Target;

  beforeAll(async () => {
    await running.fig('flags', 'set', 'inventory.reads', '100');
    const service = damagingProxy(running.system.urls['inventory'] ?? '', (answer, path) =>
      fault?.damage(answer, path),
    );
    const INVENTORY_URL = await serve(resources, service);
    const facade = await openFacade(resources, running.system, { INVENTORY_URL });
    target = facadeTarget(facade, 'facade before a faulty service', false);
  });

  async function compareWith(seeded: SeededFault | undefined) {
    fault = seeded;
    const cases = CASES.filter(({ name }) => SHOWING.has(name));
    return compareRuns(monolith, await runCases(target, cases));
  }

  it('is answered for alike when nothing is wrong', async () => {
    const { ok, cases } = await compareWith(undefined);
    expect([ok, cases.length]).toEqual([true, SHOWING.size]);
  });

  it.each(FAULTS.inventory.filter(({ name }) => SEEDED.has(name)))(
    'with $name turns the contract red',
    async (seeded) => {
      const { ok, cases } = await compareWith(seeded);
      expect(ok).toBe(false);
      const found = cases.flatMap(({ differences }) => differences);
      expect(found).toContainEqual(expect.objectContaining(seeded.shows));
    },
  );
});
