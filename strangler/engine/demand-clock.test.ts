import { describe, expect, it, jest } from '@jest/globals';
import { dialectsOfRun, eventually } from '../../tests/support/index.ts';
import { openSides } from '../sides/sides.ts';
import { withSidesOf } from '../../tests/strangler/support/dialects.ts';
import type { DialectSides } from '../../tests/strangler/support/dialects.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import type { RunningEngine } from '../../tests/strangler/support/engine.ts';
import { shop } from '../../tests/strangler/support/shop.ts';

const HOUR_MS = 3_600_000;

/** What `fig check --accept` does, on a machine whose clock is wrong. */
async function acceptAt({ urls }: DialectSides, aheadMs: number): Promise<void> {
  const { now } = Date;
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs);
  const sides = openSides(shop, urls);
  try {
    await sides.extracted.checks.accept();
    await sides.legacy.checks.accept();
  } finally {
    clock.mockRestore();
    await Promise.all([sides.legacy.close(), sides.extracted.close()]);
  }
}

async function compared({ call, status }: RunningEngine): Promise<unknown> {
  const order = { capability: 'shop' };
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
  await call('POST', '/backfills', order);
  await eventually(async () => expect((await status()).backfill.state).toBe('done'));
  expect((await call('POST', '/reconciles', order)).body).toMatchObject({ clean: true });
  return (await status()).demand;
}

const gateOf = async ({ status }: RunningEngine): Promise<unknown> =>
  (await status()).gates?.find(({ gate }) => gate === 'full_reconcile');

describe.each(dialectsOfRun)('a full comparison that is demanded on %s', (dialect) => {
  it('is judged by the clock of the database, whatever that of fig says', () =>
    withSidesOf(dialect, async (sides) => {
      await withEngine(sides, {}, compared);
      await acceptAt(sides, HOUR_MS);
      await withEngine(sides, {}, async (running) => {
        expect(await compared(running)).toBeNull();
        expect(await gateOf(running)).toMatchObject({ ok: true });
      });
      await acceptAt(sides, -HOUR_MS);
      await withEngine(sides, {}, async (running) => {
        await eventually(async () => expect((await running.status()).standing.as).toBe('leader'));
        expect((await running.status()).demand).toMatchObject({
          reason: expect.stringContaining('has changed'),
        });
        expect(await gateOf(running)).toMatchObject({ ok: false });
      });
    }));
});
