import { describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { eventually } from '../../tests/support/index.ts';
import type { StepKind } from '../handover/switcher.ts';
import { setFlags } from '../routing/index.ts';
import { startDoomedEngine } from '../testing/doomed-engine.ts';
import { flagsFileOf, withEngine } from '../testing/engine.ts';
import type { RunningEngine } from '../testing/engine.ts';
import { withSides } from '../testing/sides.ts';
import { keepWriting, levelAt } from '../testing/writer.ts';
import type { Sides } from '../testing/sides.ts';

const leaseMs = 500;

/** Fills the legacy side and brings the other to where the gates of a handover are open. */
async function prepare({ call, status }: RunningEngine): Promise<void> {
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
  await call('POST', '/backfills', { capability: 'shop' });
  await eventually(async () => expect((await status()).backfill.state).toBe('done'));
  expect((await call('POST', '/reconciles', { capability: 'shop' })).body).toMatchObject({
    clean: true,
  });
}

async function expectSettled(
  running: RunningEngine,
  sides: Sides,
  written: () => number,
): Promise<void> {
  const { status, call } = running;
  await eventually(async () => {
    expect(await status()).toMatchObject({ moving: null, standing: { as: 'leader' } });
  });
  const acknowledged = written();
  const { owner } = await status();
  expect(levelAt(sides, owner ?? 'legacy')).toBe(acknowledged);
  expect((await call('GET', '/barrier/shop')).status).toBe(200);
  expect((await call('POST', '/reconciles', { capability: 'shop' })).body).toMatchObject({
    clean: true,
  });
}

const steps: readonly StepKind[] = [
  'hold',
  'close',
  'recordPosition',
  'awaitApplied',
  'cede',
  'open',
  'publish',
  'finish',
];
const beforeCommit: readonly StepKind[] = ['close', 'recordPosition', 'cede'];

async function crashAt(
  sides: Sides,
  step: StepKind,
  then: (running: RunningEngine, written: () => number) => Promise<void>,
  afterwards?: () => void,
): Promise<void> {
  sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('hot', 0, 0)");
  await withEngine(sides, { leaseMs }, prepare);
  const writer = keepWriting(sides);
  try {
    const engine = startDoomedEngine(sides, step, 'SIGKILL');
    await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
    expect(await once(engine, 'exit')).toEqual([null, 'SIGKILL']);
    afterwards?.();
    await withEngine(sides, { leaseMs }, (running) => then(running, () => writer.stop()));
  } finally {
    writer.stop();
  }
}

describe('an engine killed in the middle of a handover', () => {
  it.each(steps)('before %s: the next one finishes it and says so', (step) =>
    withSides((sides) =>
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

  it.each(beforeCommit)('before %s, and its deadline passed: the next one takes it back', (step) =>
    withSides((sides) =>
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
        () => sides.legacy.exec('UPDATE fig_handover SET deadline = 0'),
      ),
    ),
  );
});

describe('an engine that was paused for longer than its lease', () => {
  it.each<StepKind>(['hold', 'close', 'cede', 'open', 'finish'])(
    'before %s has no say any more',
    (step) =>
      withSides(async (sides) => {
        sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('hot', 0, 0)");
        await withEngine(sides, { leaseMs }, prepare);
        const writer = keepWriting(sides);
        const zombie = startDoomedEngine(sides, step, 'SIGSTOP');
        try {
          await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
          await eventually(() => expect(stateOf(zombie)).toBe('T'));
          await withEngine(sides, { leaseMs }, async (running) => {
            await eventually(async () => expect((await running.status()).owner).toBe('extracted'));
            await eventually(async () => expect((await running.status()).moving).toBeNull());
            await running.setFlags({ 'shop.writes': 0 });
            await eventually(async () => expect((await running.status()).owner).toBe('legacy'));
            zombie.kill('SIGCONT');
            // Long enough for the zombie to come to its senses and stand by.
            await eventually(async () => {
              const [first, ...later] = (await running.engine.handovers()).toReversed();
              expect(first).toMatchObject({ to: 'extracted', outcome: 'done', epoch: 2 });
              expect(later).toMatchObject([{ to: 'legacy', outcome: 'done', epoch: 3 }]);
            });
            await running.setFlags({ 'shop.writes': 100 });
            await eventually(async () =>
              expect(await running.status()).toMatchObject({ owner: 'extracted', epoch: 4 }),
            );
            await expectSettled(running, sides, () => writer.stop());
          });
        } finally {
          writer.stop();
          zombie.kill('SIGKILL');
        }
      }),
  );
});

/** The state letter of a process, as Linux tells it. */
function stateOf({ pid }: ChildProcess): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}
