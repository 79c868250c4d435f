import { describe, expect, it } from '@jest/globals';
import { ApplyThrottle } from './apply-throttle.ts';

interface World {
  /** Changes that others make in a second. */
  readonly written: number;
  /** What a transaction takes besides its changes, in ms. */
  readonly commitMs: number;
  readonly seconds: number;
  /** Changes that lie behind at the start. */
  readonly backlog?: number;
}

const BOX_MS = 0.375;
const CHANGE_MS = 0.05;

/** Applies what others write, by a clock of its own. */
function apply({ written, commitMs, seconds, backlog = 0 }: World) {
  const throttle = new ApplyThrottle(0);
  const speedups: number[] = [];
  let [now, applied] = [0, 0];
  while (now < seconds * 1_000) {
    const there = backlog + (now / 1_000) * written;
    const fits = Math.max(1, Math.floor((BOX_MS * throttle.speedup) / CHANGE_MS));
    const took = Math.min(fits, Math.floor(there - applied));
    applied += took;
    const heldMs = commitMs + took * CHANGE_MS;
    const changes = Math.floor(there - applied);
    const ms = now - (Math.max(0, applied - backlog) / written) * 1_000;
    if (throttle.isDue(now)) throttle.observe({ changes, ms: changes === 0 ? 0 : ms }, now);
    speedups.push(throttle.speedup);
    now += heldMs + throttle.pauseMs(heldMs);
  }
  return { behind: backlog + (now / 1_000) * written - applied, speedups };
}

describe('an applier beside others', () => {
  it('gives way to them while it keeps up', () => {
    const { behind, speedups } = apply({ written: 200, commitMs: 0.2, seconds: 20 });
    expect(new Set(speedups)).toEqual(new Set([1]));
    expect(behind).toBeLessThan(50);
  });

  it.each([2, 5, 20])('keeps up with a disk on which a commit takes %d ms', (commitMs) => {
    const { behind, speedups } = apply({ written: 800, commitMs, seconds: 60 });
    expect(behind).toBeLessThan(800);
    expect(Math.max(...speedups)).toBeGreaterThan(1);
  });

  it('works off a backlog without more speed, as it gets smaller', () => {
    const { behind, speedups } = apply({
      written: 200,
      commitMs: 0.2,
      seconds: 60,
      backlog: 20_000,
    });
    expect(behind).toBeLessThan(50);
    expect(speedups.filter((speedup) => speedup > 1)).toEqual([]);
  });
});
