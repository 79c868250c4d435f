import { describe, expect, it } from '@jest/globals';
import { eventually, inSoak } from '../../tests/support/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import type { SideName } from '../../routing/side.ts';
import { dialects } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../tests/strangler/support/dialects.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import type { CohortOrder } from '../../tests/strangler/support/doomed-engine.ts';
import { STEPS } from '../../tests/strangler/support/steps.ts';
import {
  expectEqual,
  prepareTill,
  takersOf,
  withTill,
  withTillEngine,
} from '../../tests/strangler/support/till-desk.ts';

/** Has an engine killed just before a step of an order. */
async function killAt(sides: DialectSides, step: StepKind, order: CohortOrder): Promise<void> {
  const engine = startDoomedEngine(sides, step, 'SIGKILL', order);
  expect(await endOf(engine)).toEqual([null, 'SIGKILL']);
}

/** Has the next engine see to what was left behind, and looks who takes sales afterwards. */
async function expectEnd(
  sides: DialectSides,
  owners: Readonly<Record<string, SideName>>,
  told: RegExp,
): Promise<void> {
  await withTillEngine(sides, async (running) => {
    await eventually(async () => {
      expect(await running.status()).toMatchObject({ moving: null, standing: { as: 'leader' } });
    });
    expect(running.lines.join('')).toMatch(told);
    for (const [customer, owner] of Object.entries(owners)) {
      const id = `${customer} ${performance.now()}`;
      expect([customer, await takersOf(sides, customer, id)]).toEqual([customer, [owner]]);
    }
    await expectEqual(running);
  });
}

const finished = /an interrupted handover was finished/;
/** What differs between the dialects is how a fence is moved. */
const places: readonly (readonly [Dialect, StepKind])[] = [
  ...inSoak(STEPS, ['cede'] as const).map((step) => ['sqlite', step] as const),
  ...inSoak(['close', 'cede', 'open'] as const, [] as const).map(
    (step) => ['postgres', step] as const,
  ),
];

describe('an engine killed while customers move', () => {
  it.each(places)('on %s, before %s: the next one finishes it', (dialect, step) =>
    withTill(dialect, async (sides) => {
      await withTillEngine(sides, prepareTill);
      await killAt(sides, step, { to: 'extracted', customers: ['A', 'new'] });
      const owners = { A: 'extracted', new: 'extracted', B: 'legacy', newer: 'legacy' } as const;
      await expectEnd(sides, owners, finished);
    }),
  );

  it.each<StepKind>(inSoak(['cede', 'finish'], ['cede']))(
    'before %s of what comes later, for the rest and back: the next one finishes it',
    (step) =>
      withTill('sqlite', async (sides) => {
        await withTillEngine(sides, async (running) => {
          await prepareTill(running);
          const order = { capability: 'till', to: 'extracted', customers: ['A', 'new'] };
          expect(await running.call('POST', '/handovers', order)).toMatchObject({ status: 200 });
        });
        await killAt(sides, step, { to: 'extracted', customers: null });
        await expectEnd(sides, { A: 'extracted', new: 'extracted', B: 'extracted' }, finished);
        await killAt(sides, step, { to: 'legacy', customers: ['A'] });
        await expectEnd(sides, { A: 'legacy', B: 'extracted', new: 'extracted' }, finished);
      }),
  );

  it.each(inSoak<readonly Dialect[]>(dialects, ['sqlite']))(
    'on %s, and its deadline passed: the next one takes it back',
    (dialect) =>
      withTill(dialect, async (sides) => {
        await withTillEngine(sides, prepareTill);
        await killAt(sides, 'cede', { to: 'extracted', customers: ['A'] });
        await sides.legacy.run('UPDATE fig_handover SET deadline = 0');
        const taken = /an interrupted handover was taken back/;
        await expectEnd(sides, { A: 'legacy', B: 'legacy' }, taken);
      }),
  );
});
