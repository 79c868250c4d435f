import { describe, expect, it } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { eventually } from '../../tests/support/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { setFlags } from '../../routing/index.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import { flagsFileOf, withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';

const NOBODY = 'http://127.0.0.1:9';
const leaseMs = 500;
const gatesHold = ['backfill shop', 'reconcile shop'];

async function prepared(sides: Sides): Promise<void> {
  sides.legacy.exec("INSERT INTO STOCK (SKU, QTY, RSV) VALUES ('a', 5, 0)");
  await withEngine(sides, { leaseMs }, async ({ url }) => {
    const fig = await figFor(sides, url);
    for (const line of gatesHold) expect(await fig(line)).toMatchObject({ code: 0 });
  });
}

/** A handover in the middle of which its engine was killed or paused. */
async function cutOff(
  sides: Sides,
  step: StepKind,
  signal: 'SIGKILL' | 'SIGSTOP',
  use: (fig: Fig, engine: ChildProcess) => Promise<void>,
): Promise<void> {
  await prepared(sides);
  const fig = await figFor(sides, NOBODY);
  const engine = startDoomedEngine(sides, step, signal);
  try {
    await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
    await eventually(async () => {
      const { stdout } = await fig(`journal shop --json`);
      expect(stdout).toContain('"outcome": null');
    });
    if (signal === 'SIGKILL') await endOf(engine);
    await use(fig, engine);
  } finally {
    engine.kill('SIGKILL');
  }
}

describe('fig abort', () => {
  it('has a running handover taken back, and its wish is spent also for the next engine', () =>
    withSides(async (sides) => {
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let reached = (): void => undefined;
      const there = new Promise<void>((resolve) => {
        reached = resolve;
      });
      await prepared(sides);
      const onStep = async (_capability: string, step: StepKind): Promise<void> => {
        if (step !== 'awaitApplied') return;
        reached();
        await held;
      };
      await withEngine(sides, { leaseMs, onStep }, async ({ url, engine }) => {
        const fig = await figFor(sides, url);
        const controller = engine.controllers.get('shop');
        if (!controller) throw new Error('the engine knows no shop');
        const askAbort = controller.askAbort.bind(controller);
        Object.assign(controller, {
          askAbort: (...given: Parameters<typeof askAbort>) => {
            askAbort(...given);
            release();
          },
        });
        const switching = fig('switch shop');
        await there;
        expect(await fig('abort shop --dry-run')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining("1. move legacy's fence from closed (2) to open (3)"),
        });
        const { code, stdout } = await fig('abort shop --json');
        expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
          code: 0,
          outcome: 'aborted',
          owner: 'legacy',
          epoch: 3,
          next_steps: [
            { command: 'fig flags set shop.writes off' },
            { command: 'fig switch shop' },
          ],
        });
        expect(await switching).toMatchObject({
          code: 1,
          stderr: expect.stringContaining('an operator took it back'),
        });
        sides.legacy.exec('UPDATE STOCK SET QTY = 6');
      });
      await withEngine(sides, { leaseMs }, async ({ url, status, setFlags: turn }) => {
        await eventually(async () =>
          expect(await status()).toMatchObject({
            standing: { as: 'leader' },
            intent: { to: 'extracted', spent: 'an operator took it back' },
          }),
        );
        await turn({ 'shop.writes': 0 });
        const fig = await figFor(sides, url);
        await eventually(async () =>
          expect((await fig('journal shop')).stdout).toContain('turned'),
        );
      });
      // Given up and asked for again while no engine was there: it counts.
      await setFlags(flagsFileOf(sides), { 'shop.writes': 100 });
      await withEngine(sides, { leaseMs }, ({ status }) =>
        eventually(async () => expect((await status()).owner).toBe('extracted')),
      );
    }));

  it.each<StepKind>(['close', 'cede'])('works when the engine was killed before %s', (step) =>
    withSides((sides) =>
      cutOff(sides, step, 'SIGKILL', async (fig) => {
        expect(await fig('abort shop')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('legacy goes on as its owner (epoch 3)'),
        });
        sides.legacy.exec('UPDATE STOCK SET QTY = 6');
        expect((await fig('journal shop')).stdout).toMatch(/taken back/);
        expect(await fig('abort shop')).toMatchObject({
          code: 3,
          stderr: expect.stringContaining('no handover of shop is under way: legacy owns it'),
        });
      }),
    ),
  );

  it('comes before an engine that was only asleep, whose handover then has no effect', () =>
    withSides((sides) =>
      cutOff(sides, 'cede', 'SIGSTOP', async (fig, zombie) => {
        expect(await fig('abort shop')).toMatchObject({ code: 0 });
        zombie.kill('SIGCONT');
        // It leads again, and goes by what it finds.
        await eventually(() => {
          const seen = sides.legacy.prepare('SELECT token FROM fig_lease').pluck().get();
          expect(Number(seen)).toBeGreaterThan(3);
        });
        expect((await fig('status')).stdout).toMatch(/shop .+owner legacy, epoch 3/);
        expect(sides.extracted.prepare('SELECT state FROM fig_fence').pluck().get()).toBe('closed');
      }),
    ));

  it('is refused after the commit point, and says what happens now', () =>
    withSides((sides) =>
      cutOff(sides, 'open', 'SIGKILL', async (fig) => {
        expect(await fig('abort shop')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/past its commit point: .+ extracted is opened as soon/),
        });
        expect(await fig('abort shop --dry-run --json')).toMatchObject({ code: 3 });
        expect(sides.legacy.prepare('SELECT state FROM fig_fence').pluck().get()).toBe('ceded');
      }),
    ));
});
