import { describe, expect, it } from '@jest/globals';
import { readSwitch, ruleOf } from '../../routing/index.ts';
import type { Feature, FlagReadings } from '../../routing/index.ts';
import { flagContradictions } from './flag-contradictions.ts';
import type { FlagState } from './flag-contradictions.ts';

const NOT_COPIED: FlagState = {
  owner: 'legacy',
  cohorts: null,
  backfill: { state: 'none', rows: 0, total: 0, startedAt: null, at: null },
};
const COPIED: FlagState = { ...NOT_COPIED, backfill: { ...NOT_COPIED.backfill, state: 'done' } };
const SWITCHED: FlagState = { ...COPIED, owner: 'extracted' };

function share(name: string, rollout: number, parameters: Record<string, string> = {}): Feature {
  const strategy = {
    name: 'flexibleRollout',
    parameters: { rollout: String(rollout), stickiness: 'userId', groupId: name, ...parameters },
  };
  return { name, enabled: rollout > 0, strategies: [strategy] };
}

function writes(enabled: boolean): Feature {
  return { name: 'shop.writes', enabled, strategies: [] };
}

/** Codes, and the first remedy of each. */
function found(features: readonly Feature[], state: FlagState | undefined): readonly string[] {
  const rule = (flag: string): ReturnType<typeof ruleOf> =>
    ruleOf(features.find(({ name }) => name === flag));
  const flags: FlagReadings = {
    state: () => ({ kept: 'file', source: 'flags.json', read: true, trouble: null }),
    rule,
    switch: (flag) => readSwitch(rule(flag)),
  };
  return flagContradictions('shop', flags, state).map(
    ({ code, remedies }) => `${code}: ${remedies[0]?.command}`,
  );
}

describe('the flags of a capability', () => {
  it('say what holds', () => {
    const off = [share('shop.shadow', 0), share('shop.reads', 0)];
    expect(found([...off, writes(false)], NOT_COPIED)).toEqual([]);
    expect(
      found([share('shop.shadow', 5), share('shop.reads', 50), writes(false)], COPIED),
    ).toEqual([]);
    expect(found([...off, writes(true)], SWITCHED)).toEqual([]);
  });

  it('are missing, and are made with what holds', () => {
    expect(found([], SWITCHED)).toEqual([
      'flag_missing: fig flags set shop.shadow 0',
      'flag_missing: fig flags set shop.reads 0',
      'flag_missing: fig flags set shop.writes on',
    ]);
    expect(found([], COPIED).at(-1)).toBe('flag_missing: fig flags set shop.writes off');
    expect(found([], { ...COPIED, owner: null }).at(-1)).toBe('flag_missing: fig status');
    expect(found([], undefined).at(-1)).toBe('flag_missing: fig flags set shop.writes off');
  });

  it('contradict the copy, or the owner', () => {
    const reads = [share('shop.shadow', 0), share('shop.reads', 50)];
    expect(found([...reads, writes(false)], NOT_COPIED)).toEqual([
      'flag_before_copy: fig backfill shop',
    ]);
    expect(found([...reads, writes(false)], SWITCHED)).toEqual([
      'flag_contradicts_owner: fig status',
    ]);
    expect(found([...reads, writes(true)], COPIED)).toEqual(['flag_contradicts_owner: fig status']);
    expect(found([...reads, writes(true)], { ...COPIED, owner: null })).toEqual([]);
  });

  it('are decided by what Fig did not set', () => {
    const bySession = share('shop.reads', 50, { stickiness: 'sessionId' });
    const custom = { name: 'shop.shadow', enabled: true, strategies: [{ name: 'moonPhase' }] };
    expect(found([custom, bySession, writes(false)], COPIED)).toEqual([
      'flag_conditional: fig flags set shop.shadow 0',
      'flag_conditional: fig flags set shop.reads 0',
    ]);
  });
});
