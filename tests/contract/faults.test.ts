import { beforeAll, describe, expect, it } from '@jest/globals';
import { compareRuns } from '../../contracts/cases/index.ts';
import type { Difference, TargetRun } from '../../contracts/cases/index.ts';
import { contractCommand } from './command.ts';
import { runOn } from './compare-sides.ts';
import { FAULTS } from './faults.ts';
import { faulty } from './faulty.ts';
import { SIDES } from './targets.ts';

describe.each(['inventory', 'payment'] as const)('a %s service', (capability) => {
  let monolith: TargetRun;

  beforeAll(async () => {
    monolith = await runOn(SIDES[capability].old, capability);
  });

  it.each(FAULTS[capability])('with $name turns the contract red', async (fault) => {
    const service = await runOn(faulty(SIDES[capability].new, fault), capability);
    const comparison = compareRuns(monolith, service);
    expect(comparison.ok).toBe(false);
    const found = comparison.cases.flatMap(({ differences }): readonly Difference[] => differences);
    expect(found).toContainEqual(expect.objectContaining(fault.shows));
  });
});

const run = async (args: readonly string[], sides = SIDES): Promise<[number, string]> => {
  const printed: string[] = [];
  const code = await contractCommand(args, sides, (text) => printed.push(text));
  return [code, printed.join('')];
};

describe('npm run contract', () => {
  it('exits 1 and shows path and both values of a difference', async () => {
    const [fault] = FAULTS.inventory;
    if (!fault) throw new Error('there are no faults');
    const inventory = { ...SIDES.inventory, new: faulty(SIDES.inventory.new, fault) };
    const [code, text] = await run(['inventory'], { ...SIDES, inventory });
    expect(code).toBe(1);
    expect(text).toContain('GET /api/inventory/CT-05  body.onHand\n');
    expect(text).toContain('old 42\n         new "<absent>"');
  });

  it('exits 0 when both sides answer alike, and can say so as JSON', async () => {
    const [code, text] = await run(['payment', '--json']);
    const { payment } = JSON.parse(text) as { payment: { ok: boolean; cases: unknown[] } };
    expect([code, payment.ok]).toEqual([0, true]);
    expect(payment.cases.length).toBeGreaterThan(10);
  });

  it('names the capabilities it knows', async () => {
    const [code, text] = await run(['shipping']);
    expect(code).toBe(2);
    expect(text).toContain('shipping is none of inventory, payment');
  });
});
