import { describe, expect, it } from '@jest/globals';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { AT_ONCE } from '../../tests/strangler/support/completion.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { DialectSides } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { shop } from '../../tests/strangler/support/shop.ts';
import type { EngineDeps } from './engine.ts';

function completing({ urls }: DialectSides): Partial<EngineDeps> {
  return { declarations: { shop: { urls, mapping: shop, completion: AT_ONCE } }, leaseMs: 500 };
}

/** Gives the shop to the extracted side, by an engine that then ends. */
async function switchOver(sides: DialectSides): Promise<void> {
  // Its lease is of the usual length: it is released at the end, and a busy machine does not take it away before.
  const { leaseMs: _short, ...deps } = completing(sides);
  await withEngine(sides, deps, async ({ call, status }) => {
    const order = { capability: 'shop' };
    await eventually(async () => expect((await status()).standing.as).toBe('leader'));
    expect((await call('POST', '/backfills', order)).status).toBeLessThan(300);
    await eventually(async () => expect((await status()).backfill.state).toBe('done'));
    expect((await call('POST', '/reconciles', order)).status).toBe(200);
    expect((await call('POST', '/handovers', { ...order, to: 'extracted' })).status).toBe(200);
  });
}

/** A completion that a crash has left behind after the point of no return. */
const sealed = (id: string): string =>
  `INSERT INTO fig_completion (id, capability, started_at, sealed_at)
     VALUES ('${id}', 'shop', 1000, 2000)`;

const tokenOf = ({ legacy }: DialectSides): Promise<unknown[]> =>
  legacy.rows('SELECT token FROM fig_lease');

async function expectWaiting({ status }: RunningEngine, reason: RegExp): Promise<void> {
  await eventually(async () =>
    expect((await status()).standing).toEqual({
      as: 'waiting',
      reason: expect.stringMatching(reason),
    }),
  );
}

describe.each(dialectsOfRun)('the record of a completion on %s', (dialect) => {
  it('stops the engine when it cannot be read, and is gone on with once it can', () =>
    withSidesOf(dialect, async (sides) => {
      await switchOver(sides);
      await sides.legacy.run(sealed('cut off'));
      await sides.legacy.run('ALTER TABLE fig_completion RENAME COLUMN outcome TO ending');
      const before = await tokenOf(sides);
      await withEngine(sides, completing(sides), async (running) => {
        await expectWaiting(running, /^it is unknown whether shop was completed: .*outcome/);
        // Nobody has led meanwhile, so no trigger was put where the seal says that there is none.
        expect(running.lines.join('')).not.toContain('"leading"');
        expect(await tokenOf(sides)).toEqual(before);
        await sides.legacy.run('ALTER TABLE fig_completion RENAME COLUMN ending TO outcome');
        await eventually(async () => expect((await running.status()).stage).toBe('complete'));
      });
    }));

  it('takes a completion back that fails before the point of no return, and says why', () =>
    withSidesOf(dialect, async (sides) => {
      await switchOver(sides);
      const onCompletionStep = (_capability: string, step: string): void => {
        if (step === 'seal') throw new Error('the disk is full');
      };
      await withEngine(sides, { ...completing(sides), onCompletionStep }, async (running) => {
        const { call, setFlags, status } = running;
        await setFlags({ 'shop.reads': 100 });
        await eventually(async () => expect((await status()).shares?.reads).toBe(100));
        await eventually(async () =>
          expect((await call('POST', '/completions', { capability: 'shop' })).body).toMatchObject({
            code: 'completion_aborted',
            reason: 'the disk is full',
          }),
        );
        const told = await sides.legacy.rows('SELECT outcome, reason FROM fig_completion');
        expect(told).toEqual([{ outcome: 'aborted', reason: 'the disk is full' }]);
        expect(await status()).toMatchObject({ stage: 'switched', trouble: [] });
      });
    }));

  it('goes on at once with a completion that fails after the point of no return', () =>
    withSidesOf(dialect, async (sides) => {
      await switchOver(sides);
      await sides.legacy.run(sealed('failing'));
      const steps: string[] = [];
      const onCompletionStep = (_capability: string, step: string): void => {
        steps.push(step);
        if (step === 'retire' && steps.length < 4) throw new Error('the disk is full');
      };
      await withEngine(sides, { ...completing(sides), onCompletionStep }, async ({ status }) => {
        await eventually(async () => expect((await status()).stage).toBe('complete'));
        expect(steps).toEqual(['release', 'retire', 'retire', 'retire', 'publish', 'finish']);
      });
    }));

  it('stops a completion when it is gone in the middle, before any table is renamed', () =>
    withSidesOf(dialect, async (sides) => {
      await switchOver(sides);
      await sides.legacy.run(sealed('cut off'));
      const steps: string[] = [];
      const onCompletionStep = async (_capability: string, step: string): Promise<void> => {
        steps.push(step);
        if (step === 'release') await sides.legacy.run('DELETE FROM fig_completion');
      };
      await withEngine(sides, { ...completing(sides), onCompletionStep }, async ({ lines }) => {
        await eventually(() =>
          expect(lines.join('')).toContain('the record of the completion of shop is gone'),
        );
        expect(steps).toEqual(['release']);
        expect(await sides.legacy.rows('SELECT * FROM "STOCK"')).toEqual([]);
      });
    }));
});
