import { describe, expect, it } from '@jest/globals';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { sessionsOf } from '../../tests/strangler/support/dialects.ts';
import { endOf, startDoomedEngine } from '../../tests/strangler/support/doomed-engine.ts';
import { figFor, withFig } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import {
  expectEqual,
  prepareTill,
  takersOf,
  withPreparedTill,
  withTillEngine,
} from '../../tests/strangler/support/till-desk.ts';

const NOBODY = 'http://127.0.0.1:9';

const codesOf = async (fig: Fig): Promise<readonly string[]> => {
  const { stdout } = await fig('doctor till --json');
  return (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code);
};

describe('fig switch and fig reverse with customers', () => {
  it('say what they would do, do it once, and show whose writes are where', () =>
    withPreparedTill((sides) =>
      withTillEngine(sides, async (running) => {
        await prepareTill(running);
        const fig = await figFor(sides, running.url, 'till');
        expect(await fig('switch till --customers A,new --dry-run')).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(
            /move 2 customers: A, new\n[^]*hold new writes of 2 keys of till[^]*all gates hold/,
          ),
        });
        expect((await running.status()).cohorts).toBeNull();
        expect(await fig('switch till --customers A,new')).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(
            /2 customers: A, new, of till, now belong to extracted \(epoch 2\)[^]*way back: fig reverse till --customers A,new/,
          ),
        });
        expect((await fig('journal till')).stdout).toMatch(
          /^till +legacy -> extracted +epoch 2.*\n {2}2 customers: A, new\n/m,
        );
        expect(await fig('switch till --customers A')).toMatchObject({
          code: 0,
          stdout: expect.stringContaining('none of the requested customers of till is at legacy'),
        });
        expect((await fig('status')).stdout).toMatch(/cohorts +extracted: A, new\n/);
        expect((await fig('doctor till')).stdout).toMatch(
          /^till {2}healthy\n.*legacy owns it.*\n {2}2 keys with a fence of their own: legacy owns 0, extracted owns 2$/m,
        );
        expect(JSON.parse((await fig('status --json')).stdout)).toMatchObject({
          capabilities: [{ owner: 'legacy', cohorts: { extracted: ['A', 'new'] } }],
        });
        expect(await fig('complete till --yes')).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/2 keys of till went ahead.+\nnext: fig switch till\n/),
        });
        expect(await fig('reverse till --customers new --json')).toMatchObject({ code: 0 });
        expect(await fig('reverse till')).toMatchObject({ code: 0 });
        expect((await running.status()).cohorts).toBeNull();
        await expectEqual(running);
      }),
    ));

  it('are refused, with the reason, where a capability moves as a whole', () =>
    withFig(async (fig) => {
      expect(await fig('switch shop --customers A')).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(
          /the config of shop names no cohorts\nnext: fig switch shop\n$/,
        ),
      });
    }));

  it('refuse words that mean nothing', () =>
    withPreparedTill(async (sides) => {
      const fig = await figFor(sides, NOBODY, 'till');
      for (const words of [
        '--customers A --share 10',
        '--customers A,,B',
        '--customers *',
        '--share 0',
      ]) {
        expect(await fig(`switch till ${words}`)).toMatchObject({ code: 2 });
      }
    }));
});

describe('fig doctor and fig abort in the middle of customers who move', () => {
  it.each<StepKind>(['recordPosition', 'open'])(
    'killed before %s: explain it, and finish it without an engine',
    (step) =>
      withPreparedTill(async (sides) => {
        const order = { to: 'extracted', customers: ['A'] } as const;
        await endOf(startDoomedEngine(sides, step, 'SIGKILL', order));
        const fig = await figFor(sides, NOBODY, 'till');
        expect(await codesOf(fig)).toContain('handover_interrupted');
        expect(await fig('doctor till --repair')).toMatchObject({
          stdout: expect.stringMatching(/the handover is finished: extracted is the owner/),
        });
        const sessions = sessionsOf(sides);
        expect(await takersOf(sessions, 'A', 'a')).toEqual(['extracted']);
        expect(await takersOf(sessions, 'B', 'b')).toEqual(['legacy']);
        expect(await codesOf(fig)).not.toContain('handover_interrupted');
      }),
  );

  it('take it back before its commit point, and not after', () =>
    withPreparedTill(async (sides) => {
      const order = { to: 'extracted', customers: ['A'] } as const;
      await endOf(startDoomedEngine(sides, 'cede', 'SIGKILL', order));
      const fig = await figFor(sides, NOBODY, 'till');
      expect(await fig('abort till --dry-run')).toMatchObject({
        stdout: expect.stringContaining("move legacy's fences of 1 key to open (3)"),
      });
      expect(await fig('abort till --yes')).toMatchObject({ code: 0 });
      const sessions = sessionsOf(sides);
      expect(await takersOf(sessions, 'A', 'a')).toEqual(['legacy']);
      await endOf(startDoomedEngine(sides, 'open', 'SIGKILL', order));
      expect(await fig('abort till --yes')).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('past its commit point: legacy has ceded 1 key of till'),
      });
      expect(await fig('uninstall till --yes')).toMatchObject({ code: 3 });
    }));
});

describe('fig doctor, where a backup gave a customer two owners', () => {
  it('closes the one that is behind, or does what a person decides', () =>
    withPreparedTill(async (sides) => {
      const fig = await figFor(sides, NOBODY, 'till');
      const sessions = sessionsOf(sides);
      await withTillEngine(sides, async (running) => {
        await prepareTill(running);
        await running.call('POST', '/handovers', {
          capability: 'till',
          to: 'extracted',
          customers: ['A'],
        });
      });
      // As the fences were before the move.
      sides.legacy.exec(`DELETE FROM fig_fence WHERE key = 'A'`);
      expect(await codesOf(fig)).toContain('keys_owned_twice');
      expect((await fig('doctor till')).stdout).toMatch(
        /A: legacy is open \(1\), extracted is open \(2\)/,
      );
      expect((await fig('doctor till --repair --yes')).stdout).toContain(
        "legacy's fences of A are closed",
      );
      expect(await takersOf(sessions, 'A', 'a1')).toEqual(['extracted']);
      sides.extracted.exec(`UPDATE fig_fence SET state = 'closed' WHERE key = 'A'`);
      expect(await codesOf(fig)).toContain('keys_without_owner');
      await fig('doctor till --repair --trust extracted --yes');
      expect(await takersOf(sessions, 'A', 'a2')).toEqual(['extracted']);
      expect(await takersOf(sessions, 'B', 'b2')).toEqual(['extracted']);
    }));
});
