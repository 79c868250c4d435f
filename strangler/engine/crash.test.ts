import { describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually, inSoak } from '../../tests/support/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { setFlags } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { dialects, withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { Dialect, DialectSides } from '../../tests/strangler/support/dialects.ts';
import { beginCounting, keepWriting, levelAt } from '../../tests/strangler/support/writer.ts';
import { STEPS } from '../../tests/strangler/support/steps.ts';

const leaseMs = 500;

/** Fills the legacy side and brings the other to where the gates of a handover are open. */
async function prepare({ call, status }: RunningEngine): Promise<void> {
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
  await eventually(async () => {
    expect(await call('POST', '/backfills', { capability: 'shop' })).toMatchObject({ status: 202 });
  });
  await eventually(async () => expect((await status()).backfill.state).toBe('done'));
  expect((await call('POST', '/reconciles', { capability: 'shop' })).body).toMatchObject({
    clean: true,
  });
}

async function expectSettled(
  running: RunningEngine,
  sides: DialectSides,
  written: () => Promise<number>,
): Promise<void> {
  const { status, call } = running;
  await eventually(async () => {
    expect(await status()).toMatchObject({ moving: null, standing: { as: 'leader' } });
  });
  const acknowledged = await written();
  // An engine that comes to its senses may still hand over; what is lost then stays lost.
  await eventually(async () => {
    const { owner, moving } = await status();
    expect(moving).toBeNull();
    expect(await levelAt(sides, owner ?? 'legacy')).toBe(acknowledged);
  });
  expect((await call('GET', '/barrier/shop')).status).toBe(200);
  expect((await call('POST', '/reconciles', { capability: 'shop' })).body).toMatchObject({
    clean: true,
  });
}

const beforeCommit: readonly StepKind[] = ['close', 'recordPosition', 'cede'];

async function crashAt(
  sides: DialectSides,
  step: StepKind,
  then: (running: RunningEngine, written: () => Promise<number>) => Promise<void>,
  afterwards?: () => Promise<void>,
): Promise<void> {
  await beginCounting(sides);
  await withEngine(sides, {}, prepare);
  const writer = keepWriting(sides);
  try {
    const engine = startDoomedEngine(sides, step, 'SIGKILL');
    await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
    expect(await endOf(engine)).toEqual([null, 'SIGKILL']);
    await afterwards?.();
    await withEngine(sides, { leaseMs }, (running) => then(running, () => writer.stop()));
  } finally {
    await writer.stop();
  }
}

describe.each(inSoak<readonly Dialect[]>(dialects, ['sqlite']))(
  'an engine killed in the middle of a handover on %s',
  (dialect) => {
    const steps = inSoak(STEPS, ['cede'] as const);
    it.each(steps)('before %s: the next one finishes it and says so', (step) =>
      withSidesOf(dialect, (sides) =>
        crashAt(sides, step, async (running, written) => {
          await eventually(async () => expect((await running.status()).owner).toBe('extracted'));
          await expectSettled(running, sides, written);
          expect(running.lines.join('')).toContain('an interrupted handover was finished');
          expect(await running.status()).toMatchObject({
            epoch: 2,
            lastHandover: { outcome: 'done' },
          });
        }),
      ),
    );

    it.each(inSoak(beforeCommit, ['cede'] as const))(
      'before %s, and its deadline passed: the next one takes it back',
      (step) =>
        withSidesOf(dialect, (sides) =>
          crashAt(
            sides,
            step,
            async (running, written) => {
              await eventually(async () => {
                expect((await running.status()).lastHandover).toMatchObject({ outcome: 'aborted' });
              });
              await expectSettled(running, sides, written);
              expect(running.lines.join('')).toContain('an interrupted handover was taken back');
              expect(await running.status()).toMatchObject({
                owner: 'legacy',
                epoch: 3,
                intent: { spent: 'its deadline has passed' },
              });
            },
            () => sides.legacy.run('UPDATE fig_handover SET deadline = 0'),
          ),
        ),
    );
  },
);

describe.each(inSoak<readonly Dialect[]>(dialects, ['sqlite']))(
  'an engine paused for longer than its lease on %s',
  (dialect) => {
    it.each<StepKind>(inSoak(['hold', 'close', 'cede', 'open', 'finish'], ['cede']))(
      'before %s has no say any more',
      (step) =>
        withSidesOf(dialect, async (sides) => {
          await beginCounting(sides);
          await withEngine(sides, {}, prepare);
          const writer = keepWriting(sides);
          const zombie = startDoomedEngine(sides, step, 'SIGSTOP');
          try {
            await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
            await eventually(() => expect(stateOf(zombie)).toBe('T'));
            await withEngine(sides, { leaseMs }, async (running) => {
              await untilOwner(running, 'extracted');
              await eventually(async () => expect((await running.status()).moving).toBeNull());
              await running.setFlags({ 'shop.writes': 0 });
              await untilOwner(running, 'legacy');
              zombie.kill('SIGCONT');
              // It comes to its senses and stands by: what it was about to do has no effect.
              await running.setFlags({ 'shop.writes': 100 });
              await untilOwner(running, 'extracted');
              const told = (await running.engine.handovers()).handovers.toReversed();
              const epochs = told.map(({ epoch }) => epoch);
              expect(epochs).toEqual([...new Set(epochs)].sort((left, right) => left - right));
              expect(told.filter(({ outcome }) => outcome === 'done')).toMatchObject([
                { to: 'extracted' },
                { to: 'legacy' },
                { to: 'extracted' },
              ]);
              await expectSettled(running, sides, () => writer.stop());
            });
          } finally {
            await writer.stop();
            zombie.kill('SIGKILL');
          }
        }),
    );
  },
);

/**
 * Waits until a side is the owner. On a machine that is busy enough a handover may be taken back in
 * time, as it should be; nobody tries it again by themselves then, so it is asked for in person.
 */
async function untilOwner({ status, call }: RunningEngine, to: SideName): Promise<void> {
  await eventually(async () => {
    const { owner, intent } = await status();
    if (owner !== to && intent.to === to && intent.spent !== null) {
      await call('POST', '/handovers', { capability: 'shop', to });
    }
    expect(owner).toBe(to);
  });
}

/** The state letter of a process, as Linux tells it. */
function stateOf({ pid }: ChildProcess): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}
