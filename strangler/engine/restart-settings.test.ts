import { describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { contractFile, defineConfig, restartSettings, withFlagsFile } from '../../routing/index.ts';
import type { CapabilityConfig, FigConfig } from '../../routing/index.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';
import { declarationsOf } from './declarations.ts';

const BASE = defineConfig({
  upstreams: {
    old: 'http://127.0.0.1:1',
    next: 'http://127.0.0.1:2',
    other: 'http://127.0.0.1:3',
  },
  monolith: 'old',
  capabilities: {
    items: {
      legacy: 'old',
      extracted: 'next',
      routes: ['/items'],
      databases: { legacy: 'file:a', extracted: 'file:b' },
      mapping: oneTable({ capability: 'items', table: 'item' }),
      contract: true,
    },
    pages: { legacy: 'old', extracted: 'other', routes: ['/pages'] },
  },
});
const [ITEMS, PAGES] = [BASE.capabilities['items'], BASE.capabilities['pages']] as [
  CapabilityConfig,
  CapabilityConfig,
];

/** Another value for each setting: one that is missing does not compile. */
const TOP: Required<Omit<FigConfig, 'upstreams' | 'capabilities' | 'limits'>> = {
  monolith: 'other',
  drainFirst: ['old'],
  honoursKeys: ['old'],
  stripsParameters: ['old'],
  deadLetters: ['old'],
  stickyHeader: 'x-tenant',
  services: { old: ['/else'] },
  touches: [{ method: 'POST', path: '/orders', capabilities: ['items'] }],
  droppedHeaders: [],
  trustedHops: 1,
  flagsFile: '/else/flags.json',
  contractFile: '/else/contract.json',
  timingToken: 'a secret of so many characters',
  gateway: { compositions: [{ path: '/whole', deadlineMs: 10, parts: {} }] },
};
const LIMITS = Object.fromEntries(
  Object.entries({
    attemptMs: 1,
    clientConnections: 1,
    clientUpgrades: 1,
    clientSockets: 1,
    ...BASE.limits,
  } satisfies Required<FigConfig['limits']>).map(([name, value]) => [name, Number(value) + 1]),
);
const CAPABILITY: Required<CapabilityConfig> = {
  legacy: 'other',
  extracted: 'other',
  routes: ['/else'],
  encodedSlashes: 'pass',
  databases: { legacy: 'file:a', extracted: 'file:else' },
  mapping: oneTable({ capability: 'items', table: 'item', columns: ['c'] }),
  cohorts: { header: 'x-tenant' },
  invariants: [{ name: 'sum', legacy: 'SELECT 1', extracted: 'SELECT 1' }],
  contract: false,
  completion: { ...ITEMS.completion, soakMs: 1 },
  comparedHeaders: ['etag'],
  ignore: [{ path: 'at', reason: 'a clock' }],
};

const withCapability = (name: string, settings: object): FigConfig => ({
  ...BASE,
  capabilities: {
    ...BASE.capabilities,
    [name]: { ...(BASE.capabilities[name] as CapabilityConfig), ...settings },
  },
});

const CHANGES: readonly [name: string, after: FigConfig][] = [
  ...Object.entries(TOP).map(([name, value]): [string, FigConfig] => [
    name,
    { ...BASE, [name]: value },
  ]),
  ...Object.entries(LIMITS).map(([name, value]): [string, FigConfig] => [
    `limits.${name}`,
    { ...BASE, limits: { ...BASE.limits, [name]: value } },
  ]),
  ...['old', 'next', 'other'].map((name): [string, FigConfig] => [
    `upstreams.${name}`,
    { ...BASE, upstreams: { ...BASE.upstreams, [name]: 'http://127.0.0.1:9' } },
  ]),
  ...Object.entries(CAPABILITY).map(([name, value]): [string, FigConfig] => [
    `capabilities.items.${name}`,
    withCapability('items', { [name]: value }),
  ]),
  ...(['legacy', 'extracted', 'routes', 'cohorts', 'ignore'] as const).map(
    (name): [string, FigConfig] => [
      `capabilities.pages.${name}`,
      withCapability('pages', { [name]: name === 'legacy' ? 'next' : CAPABILITY[name] }),
    ],
  ),
  ['capabilities.items', { ...BASE, capabilities: { pages: PAGES } }],
  ['capabilities.pages', { ...BASE, capabilities: { items: ITEMS } }],
];

/** All that an engine takes out of a configuration when it starts. */
function readByEngine(config: FigConfig): string {
  const declarations = declarationsOf(config, contractFile({}, config));
  return inspect([declarations, withFlagsFile({}, config)], { depth: 20 });
}

describe('a setting that is changed while an engine runs', () => {
  it.each(CHANGES)('is named as needing a restart where the engine reads it: %s', (name, after) => {
    const isRead = readByEngine(after) !== readByEngine(BASE);
    const named = restartSettings(BASE, after).engine ?? [];
    expect(named).toEqual(isRead ? [name] : []);
    expect(restartSettings(after, BASE).engine ?? []).toEqual(named);
  });

  it('needs no restart of a facade, but for what its server and its flags are made of', () => {
    const named = CHANGES.flatMap(([, after]) => restartSettings(BASE, after).facade ?? []);
    expect(named).toEqual(['flagsFile', 'limits.headersMs']);
  });

  it('is none where everything is as it was', () => {
    expect(restartSettings(BASE, structuredClone({ ...BASE, capabilities: {} }))).toEqual({
      engine: ['capabilities.items'],
    });
    expect(restartSettings(BASE, { ...BASE })).toEqual({});
  });
});
