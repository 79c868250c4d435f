import { describe, expect, it } from '@jest/globals';
import { InstanceHealth } from './instance-health.ts';

function fail(health: InstanceHealth, times: number, now: number): void {
  for (let n = 0; n < times; n += 1) health.ill(now, false);
}

describe('the health of an instance', () => {
  it('ejects after five failures in a row, and not when one good answer is between', () => {
    const health = new InstanceHealth();
    fail(health, 4, 0);
    health.well();
    fail(health, 4, 0);
    expect(health.isEjected(0)).toBe(false);
    fail(health, 1, 0);
    expect(health.isEjected(4_999)).toBe(true);
    expect(health.isEjected(5_000)).toBe(false);
  });

  it('ejects for longer each time, up to a minute, and forgets that with a good answer', () => {
    const health = new InstanceHealth();
    fail(health, 5, 0);
    fail(health, 5, 5_000);
    expect([health.isEjected(14_999), health.isEjected(15_000)]).toEqual([true, false]);
    fail(health, 5 * 50, 20_000);
    expect([health.isEjected(79_999), health.isEjected(80_000)]).toEqual([true, false]);
    health.well();
    fail(health, 5, 100_000);
    expect([health.isEjected(104_999), health.isEjected(105_000)]).toEqual([true, false]);
  });

  it('ejects an address at once where no process listens', () => {
    const health = new InstanceHealth();
    health.ill(0, true);
    expect(health.isEjected(1)).toBe(true);
  });
});
