import { describe, expect, it } from '@jest/globals';
import { Courtesy } from './courtesy.ts';

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
  const courtesy = new Courtesy(0);
  const hastes: number[] = [];
  let [now, applied] = [0, 0];
  while (now < seconds * 1_000) {
    const there = backlog + (now / 1_000) * written;
    const fits = Math.max(1, Math.floor((BOX_MS * courtesy.haste) / CHANGE_MS));
    const took = Math.min(fits, Math.floor(there - applied));
    applied += took;
    const heldMs = commitMs + took * CHANGE_MS;
    const changes = Math.floor(there - applied);
    const ms = now - (Math.max(0, applied - backlog) / written) * 1_000;
    if (courtesy.isDue(now)) courtesy.look({ changes, ms: changes === 0 ? 0 : ms }, now);
    hastes.push(courtesy.haste);
    now += heldMs + courtesy.pauseMs(heldMs);
  }
  return { behind: backlog + (now / 1_000) * written - applied, hastes };
}

describe('an applier beside others', () => {
  it('gives way to them while it keeps up', () => {
    const { behind, hastes } = apply({ written: 200, commitMs: 0.2, seconds: 20 });
    expect(new Set(hastes)).toEqual(new Set([1]));
    expect(behind).toBeLessThan(50);
  });

  it.each([2, 5, 20])('keeps up with a disk on which a commit takes %d ms', (commitMs) => {
    const { behind, hastes } = apply({ written: 800, commitMs, seconds: 60 });
    expect(behind).toBeLessThan(800);
    expect(Math.max(...hastes)).toBeGreaterThan(1);
  });

  it('works off a backlog without haste, as it gets smaller', () => {
    const { behind, hastes } = apply({ written: 200, commitMs: 0.2, seconds: 60, backlog: 20_000 });
    expect(behind).toBeLessThan(50);
    expect(hastes.filter((haste) => haste > 2)).toEqual([]);
  });
});
