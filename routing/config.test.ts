import { describe, expect, it } from '@jest/globals';
import { defineConfig } from './config.ts';
import type { FigConfigInput } from './config.ts';

const databases = { legacy: 'file:a', extracted: 'file:b' };

function configWith(bills: Partial<FigConfigInput['capabilities'][string]>): FigConfigInput {
  return {
    upstreams: { old: 'http://127.0.0.1:1', next: 'http://127.0.0.1:2' },
    monolith: 'old',
    capabilities: { bills: { legacy: 'old', extracted: 'next', routes: ['/bills'], ...bills } },
  };
}

describe('the cohorts of a capability', () => {
  it('are named by a header, or are off for a reason, or are not spoken of', () => {
    const cohortsOf = (cohorts: { header: string } | { off: string } | undefined) =>
      defineConfig(configWith({ databases, ...(cohorts ? { cohorts } : {}) })).capabilities['bills']
        ?.cohorts;
    expect(cohortsOf({ header: 'X-Tenant' })).toEqual({ header: 'x-tenant' });
    expect(cohortsOf({ off: 'rows span tenants' })).toEqual({ off: 'rows span tenants' });
    expect(cohortsOf(undefined)).toBeUndefined();
  });

  it.each([
    [{ cohorts: {} }, 'capabilities.bills.cohorts: give either the header'],
    [{ cohorts: { header: 'x', off: 'y' } }, 'capabilities.bills.cohorts: give either the header'],
    [{ cohorts: { header: 'x tenant' } }, 'cohorts.header: give the name of a header'],
    [{ cohorts: { header: 'Host' } }, 'cohorts.header: this header has another meaning'],
    [{ cohorts: { header: 'x-fig-key' } }, 'cohorts.header: this header has another meaning'],
    [{ cohorts: { header: 'Upgrade' } }, 'cohorts.header: this header goes no further than here'],
    [{ cohorts: { key: 'x' } as object }, 'capabilities.bills.cohorts: Unrecognized key: "key"'],
    [{ cohorts: { header: 'x' }, databases: undefined }, 'cohorts need the URLs of both databases'],
  ])('are refused as %j', (bills, text) => {
    expect(() => defineConfig(configWith({ databases, ...bills }))).toThrow(text);
  });

  it('are refused where an application can’t say FENCED', () => {
    const config = configWith({ databases, cohorts: { header: 'x' } });
    expect(() => defineConfig({ ...config, drainFirst: ['old'] })).toThrow(
      `capabilities.bills.cohorts: single keys can't move while drainFirst names "old"`,
    );
  });
});

describe('the header that names the customer', () => {
  it.each(['expect', 'TE', 'Upgrade', 'Keep-Alive', 'Proxy-Authorization', 'Trailer'])(
    'is not %s, which is for one hop only',
    (stickyHeader) => {
      expect(() => defineConfig({ ...configWith({}), stickyHeader })).toThrow(
        'stickyHeader: this header goes no further than here',
      );
    },
  );
});

describe('applications that list dead letters', () => {
  it('are upstreams, or are refused by name', () => {
    const config = configWith({ databases });
    expect(defineConfig(config).deadLetters).toEqual([]);
    expect(defineConfig({ ...config, deadLetters: ['old'] }).deadLetters).toEqual(['old']);
    expect(() => defineConfig({ ...config, deadLetters: ['older'] })).toThrow(
      'deadLetters.0: there is no upstream "older"; known are old, next',
    );
  });
});

describe('a configuration with keys that Fig does not know', () => {
  const unknown = (count: number, name: (n: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_each, n) => [name(n), n]));

  function messageOf(config: object): string {
    try {
      defineConfig(config as FigConfigInput);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was taken');
  }

  it('is refused with a line for each, as far as anybody would read', () => {
    const given = { ...configWith({ databases }), limits: unknown(2, (n) => `odd${n}`) };
    expect(messageOf(given).split('\n').slice(1)).toEqual([
      '  limits: Unrecognized key: "odd0"',
      '  limits: Unrecognized key: "odd1"',
    ]);
    const many = messageOf({ ...configWith({ databases }), ...unknown(5_000, (n) => `odd${n}`) });
    expect(many).toMatch(/\n {2}it: Unrecognized key: "odd49"\n {2}and 4950 more$/);
    expect(many.length).toBeLessThan(3_000);
  });

  it('is refused with no more than the beginning of a long key', () => {
    const long = unknown(60, (n) => `${n}${'x'.repeat(10_000)}`);
    const told = messageOf({ ...configWith({ databases }), ...long });
    expect(told).toContain('Unrecognized key: "0xxx');
    expect(told.length).toBeLessThan(10_000);
  });
});
