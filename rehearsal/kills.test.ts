import { describe, expect, it } from '@jest/globals';
import { explainedBy, planKills } from './kills.ts';

describe('planned kills', () => {
  it('are the same for the same seed, and reach every process over a few seeds', () => {
    expect(planKills(1, 20)).toEqual(planKills(1, 20));
    const victims = new Set([1, 2, 3].flatMap((seed) => planKills(seed, 22)).map((k) => k.victim));
    expect(victims.size).toBe(7);
  });
});

describe('a failed request', () => {
  const outage = { process: 'monolith', from: 1_000, to: 2_000 } as const;

  it('is explained by an outage that it overlaps, of a process that it needed', () => {
    const failure = { what: 'POST /api/orders', from: 1_900, to: 2_100 };
    expect(explainedBy(failure, [outage])).toBe(outage);
    expect(explainedBy({ ...failure, from: 2_001 }, [outage])).toBeUndefined();
  });

  it('is never explained by the engine or Redis', () => {
    const failure = { what: 'POST /api/orders', from: 1_000, to: 2_000 };
    expect(explainedBy(failure, [{ ...outage, process: 'engine' }])).toBeUndefined();
    expect(explainedBy(failure, [{ ...outage, process: 'redis' }])).toBeUndefined();
  });

  it('on one capability is not explained by the service of another', () => {
    const failure = { what: 'GET /api/inventory/A', from: 1_000, to: 2_000 };
    expect(explainedBy(failure, [{ ...outage, process: 'payment' }])).toBeUndefined();
    expect(explainedBy(failure, [{ ...outage, process: 'inventory' }])).toBeDefined();
  });
});
