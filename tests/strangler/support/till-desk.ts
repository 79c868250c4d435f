import { expect } from '@jest/globals';
import { eventually } from '../../support/index.ts';
import type { EngineDeps } from '../../../strangler/engine/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { sessionsOf, withSidesOf } from './dialects.ts';
import type { Dialect, DialectSides } from './dialects.ts';
import { withEngine } from './engine.ts';
import type { RunningEngine } from './engine.ts';
import { withSides } from './sides.ts';
import type { Sides } from './sides.ts';
import { tillDeclaration, tillSchema } from './till.ts';

/** Runs `work` with two fresh databases and sales of some customers at legacy. */
export function withTill(
  dialect: Dialect,
  work: (sides: DialectSides) => Promise<void>,
  customers: readonly string[] = ['A', 'B', 'C'],
): Promise<void> {
  return withSidesOf(
    dialect,
    async (sides) => {
      for (const customer of customers)
        await sell(sides, 'legacy', customer, `first of ${customer}`);
      await work(sides);
    },
    tillSchema,
  );
}

/** Runs an engine for the till until its side of the gates is open. */
export function withTillEngine<T>(
  sides: Pick<DialectSides, 'urls' | 'folder'>,
  use: (running: RunningEngine) => Promise<T>,
  onStep: EngineDeps['onStep'] = () => undefined,
): Promise<T> {
  const declarations = { till: tillDeclaration(sides.urls) };
  return withEngine(sides, { declarations, leaseMs: 500, onStep }, use);
}

/** Has everything copied and compared. */
export async function prepareTill({ call, status }: RunningEngine): Promise<void> {
  await eventually(async () => expect((await status()).standing.as).toBe('leader'));
  await eventually(async () => {
    expect(await call('POST', '/backfills', { capability: 'till' })).toMatchObject({ status: 202 });
  });
  await eventually(async () => expect((await status()).backfill.state).toBe('done'));
  await expectEqual({ call });
}

/** Waits until both sides have what was written so far, and compares all rows. */
export async function expectEqual({ call }: Pick<RunningEngine, 'call'>): Promise<void> {
  expect(await call('GET', '/barrier/till')).toMatchObject({ status: 200 });
  const compared = await call('POST', '/reconciles', { capability: 'till' });
  expect(compared.body).toMatchObject({ clean: true });
}

const SELL: Readonly<Record<SideName, (customer: string, id: string) => string>> = {
  legacy: (customer, id) => `INSERT INTO "SALE" VALUES ('${id}', '${customer}', '${id}', 1)`,
  extracted: (customer, id) => `INSERT INTO sales VALUES ('${id}', '${customer}', '${id}', 1)`,
};

/** Sells something at a side, if it owns the customer. @throws what its triggers say */
export function sell(
  sides: DialectSides,
  side: SideName,
  customer: string,
  id: string,
): Promise<void> {
  return sides[side].run(SELL[side](customer, id));
}

/** The sides that take a sale of a customer at the moment, each of which leaves one behind. */
export async function takersOf(
  sides: DialectSides,
  customer: string,
  id: string,
): Promise<readonly SideName[]> {
  const takers: SideName[] = [];
  for (const side of ['legacy', 'extracted'] as const) {
    await sell(sides, side, customer, `${id}-${side}`).then(
      () => takers.push(side),
      () => undefined,
    );
  }
  return takers;
}

/** The till with a sale of A and one of B, both sides equal; engines come and go. */
export function withPreparedTill(work: (sides: Sides) => Promise<void>): Promise<void> {
  return withSides(async (sides) => {
    for (const customer of ['A', 'B']) {
      await sell(sessionsOf(sides), 'legacy', customer, `first of ${customer}`);
    }
    await withTillEngine(sides, prepareTill);
    await work(sides);
  }, tillSchema);
}
