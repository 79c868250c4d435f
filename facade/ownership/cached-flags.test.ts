import { describe, expect, it } from '@jest/globals';
import type { FlagContext, FlagRule } from '../../routing/index.ts';
import { CachedFlags } from './cached-flags.ts';

/** Flags with one rule, which count how often they are evaluated. */
class CountedFlags {
  current: FlagRule;
  enabledFor: (context: FlagContext) => boolean;
  evaluations = 0;
  #changed: () => void = () => undefined;

  constructor(rule: FlagRule, enabledFor: (context: FlagContext) => boolean) {
    this.current = rule;
    this.enabledFor = enabledFor;
  }

  isEnabled(_flag: string, context: FlagContext = {}): boolean {
    this.evaluations += 1;
    return this.enabledFor(context);
  }

  isOff(): boolean {
    return this.current.kind === 'off';
  }

  rule(): FlagRule {
    return this.current;
  }

  switch(): { on: boolean; refused: null; made: true } {
    return { on: false, refused: null, made: true };
  }

  lastAsked(): undefined {
    return undefined;
  }

  onChange(listener: () => void): () => void {
    this.#changed = listener;
    return () => undefined;
  }

  change(rule: FlagRule, enabledFor: (context: FlagContext) => boolean): void {
    this.current = rule;
    this.enabledFor = enabledFor;
    this.#changed();
  }
}

const OFF: FlagRule = { kind: 'off', share: 0, conditions: null };
const ON: FlagRule = { kind: 'on', share: 100, conditions: null };
const HALF: FlagRule = { kind: 'share', share: 50, conditions: null };
const draws = Array.from({ length: 50 }, (_unused, index) => ({ draw: `${index}` }));

function withCached(flags: CountedFlags, use: (cached: CachedFlags) => void): void {
  const cached = new CachedFlags(flags);
  try {
    use(cached);
  } finally {
    cached.close();
  }
}

describe('flags whose answers are remembered', () => {
  it.each([
    ['on', ON, true],
    ['off', OFF, false],
  ])(
    'are not evaluated for each request where they are %s for everybody',
    (_word, rule, answer) => {
      const flags = new CountedFlags(rule, () => answer);
      withCached(flags, (cached) => {
        for (const draw of draws) expect(cached.isEnabled('stock.shadow', draw)).toBe(answer);
        expect(flags.evaluations).toBeLessThan(2);
      });
    },
  );

  it('are evaluated once for each customer and each draw, which may be spelled alike', () => {
    const flags = new CountedFlags(HALF, ({ userId }) => userId !== undefined);
    withCached(flags, (cached) => {
      for (let times = 0; times < 3; times += 1) {
        expect(cached.isEnabled('stock.reads', { userId: '1' })).toBe(true);
        expect(cached.isEnabled('stock.reads', { draw: '1' })).toBe(false);
      }
      expect(flags.evaluations).toBe(2);
    });
  });

  it('are evaluated where a rule says 100 % of what requests do not have', () => {
    const flags = new CountedFlags(ON, ({ userId }) => userId === 'C1');
    withCached(flags, (cached) => {
      expect(cached.isEnabled('stock.reads', { userId: 'C1' })).toBe(true);
      expect(cached.isEnabled('stock.reads', { userId: 'C2' })).toBe(false);
      expect(cached.isEnabled('stock.reads', { draw: '1' })).toBe(false);
    });
  });

  it('count anew after each change', () => {
    const flags = new CountedFlags(ON, () => true);
    withCached(flags, (cached) => {
      expect(cached.isEnabled('stock.reads', { userId: 'C1' })).toBe(true);
      flags.change(HALF, () => false);
      expect(cached.isEnabled('stock.reads', { userId: 'C1' })).toBe(false);
      flags.change(OFF, () => true);
      expect(cached.isEnabled('stock.reads', { userId: 'C1' })).toBe(false);
    });
  });
});
