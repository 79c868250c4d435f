import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../chassis/index.ts';
import { eventually } from '../tests/support/index.ts';
import { createFlagFile, flagsOf, readFlagFile, setFlags } from './flag-file.ts';
import { openFlags } from './flags.ts';
import type { Flags } from './flags.ts';

const opened: Flags[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const flags of opened.splice(0)) flags.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

interface Opened {
  readonly flags: Flags;
  readonly file: string;
  readonly lines: string[];
}

/** @param content of the flag file; null: there is none */
async function withFlags(content?: string | null): Promise<Opened> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-flags-'));
  folders.push(folder);
  const file = join(folder, 'flags.json');
  if (content === undefined) await createFlagFile(file, ['stock', 'bills'].flatMap(flagsOf));
  else if (content !== null) await writeFile(file, content);
  const lines: string[] = [];
  const log = createLog('test', 'info', { write: (line: string) => void lines.push(line) });
  const env = { FIG_DATA_DIR: folder };
  const flags = await openFlags({ env, appName: 'test', capabilities: ['stock', 'bills'], log });
  opened.push(flags);
  return { flags, file, lines };
}

const ASKS_NOTHING = { on: null, refused: expect.any(String) };

describe('a flag file at a cold start', () => {
  it.each([
    ['missing', null, /missing; fig flags init makes one/],
    ['empty', '', /it is empty/],
    ['white', ' \n', /it is empty/],
    ['cut off', '{ "version": 2, "features": [{', /not JSON/],
    ['null', 'null', /not in the client features format/],
    ['no flags', '{}', /features/],
    ['no list of flags', '{ "version": 2, "features": {} }', /features/],
    ['emptied', '{ "version": 2, "features": [] }', /none of the flags stock.shadow/],
    [
      'of two minds about a flag',
      `{ "version": 2, "features": [{ "name": "stock.writes", "enabled": true },
        { "name": "stock.reads", "enabled": false }, { "name": "stock.writes", "enabled": false }] }`,
      /holds the flag stock.writes more than once/,
    ],
    [
      'of two minds within a flag',
      `{ "version": 2, "features": [{ "name": "stock.writes", "enabled": true, "e\\"{": [{}],
        "\\u0065nabled": false }] }`,
      /names enabled twice/,
    ],
    [
      'of another system',
      '{ "version": 2, "features": [{ "name": "x", "enabled": true }] }',
      /none of/,
    ],
  ])(
    'that is %s asks for nothing, and says so, until it can be read',
    async (_, content, reason) => {
      const { flags, file, lines } = await withFlags(content);
      expect(flags.state()).toMatchObject({
        source: file,
        read: false,
        trouble: { reason: expect.stringMatching(reason), since: expect.any(Number) },
      });
      expect(flags.switch('stock.writes')).toMatchObject(ASKS_NOTHING);
      expect(lines.join('')).toMatch(/no flag means anything until they can/);
      await rm(file, { force: true });
      await createFlagFile(file, flagsOf('stock'));
      await eventually(() => expect(flags.state()).toMatchObject({ read: true, trouble: null }));
      expect(flags.switch('stock.writes')).toEqual({ on: false, refused: null, made: true });
      // One that nobody has made asks for nothing either.
      expect(flags.switch('bills.writes')).toMatchObject({ ...ASKS_NOTHING, made: false });
    },
  );
});

const constrained = {
  constraints: [{ contextName: 'userId', operator: 'IN', values: ['a', 'b'] }],
};
const rollout = (share: string, more = {}): object => ({
  name: 'flexibleRollout',
  parameters: { rollout: share, ...more },
});

describe('whom a flag is on for', () => {
  const off = { kind: 'off', share: 0, conditions: null };
  const on = { kind: 'on', share: 100, conditions: null };
  const half = { kind: 'share', share: 50, conditions: null };

  it.each<[string, object | undefined, object]>([
    ['nobody has made', undefined, { kind: 'missing', share: 0, conditions: null }],
    ['is off', { enabled: false, strategies: [{ name: 'default' }] }, off],
    ['has no strategies', { enabled: true }, on],
    ['is on for everybody', { enabled: true, strategies: [{ name: 'default' }] }, on],
    ['is on for all by a share', { enabled: true, strategies: [rollout('100')] }, on],
    [
      'is on for all by sessions',
      { enabled: true, strategies: [rollout('100', { stickiness: 'sessionId' })] },
      on,
    ],
    ['is on for none by a share', { enabled: true, strategies: [rollout('0')] }, off],
    ['is on for half', { enabled: true, strategies: [rollout('50')] }, half],
    [
      'is on for half by an old strategy',
      {
        enabled: true,
        strategies: [{ name: 'gradualRolloutUserId', parameters: { percentage: '50' } }],
      },
      half,
    ],
    [
      'has a strategy that is turned off',
      { enabled: true, strategies: [rollout('50'), { name: 'default', disabled: true }] },
      half,
    ],
    [
      'has turned off all of them',
      { enabled: true, strategies: [{ name: 'default', disabled: true }] },
      off,
    ],
    [
      'is on for all, and for some',
      { enabled: true, strategies: [{ name: 'default' }, { name: 'default', ...constrained }] },
      on,
    ],
    [
      'is narrowed by a constraint',
      { enabled: true, strategies: [{ name: 'default', ...constrained }] },
      { kind: 'conditional', share: 100, conditions: '100 % only where userId IN a, b' },
    ],
    [
      'is narrowed by a segment',
      { enabled: true, strategies: [{ ...rollout('20'), segments: [7] }] },
      { kind: 'conditional', share: 20, conditions: '20 % only where segment 7' },
    ],
    [
      'goes by chance',
      { enabled: true, strategies: [rollout('50', { stickiness: 'random' })] },
      { kind: 'conditional', share: 50, conditions: '50 % by random' },
    ],
    [
      'names customers',
      { enabled: true, strategies: [{ name: 'userWithId', parameters: { userIds: 'a,b' } }] },
      { kind: 'conditional', share: 100, conditions: 'those of userWithId userIds a,b' },
    ],
    [
      'adds up',
      { enabled: true, strategies: [rollout('20'), { name: 'default', ...constrained }] },
      { kind: 'conditional', share: 100, conditions: '20 %, or 100 % only where userId IN a, b' },
    ],
    [
      'has a parent',
      { enabled: true, strategies: [{ name: 'default' }], dependencies: [{ feature: 'all' }] },
      { kind: 'conditional', share: 100, conditions: '100 %, while all allows it' },
    ],
  ])(
    'is told where it %s; a switch takes on or off for everybody only',
    async (_, definition, rule) => {
      const feature = definition && { name: 'stock.writes', ...definition };
      const other = { name: 'stock.reads', enabled: false };
      const features = feature ? [feature, other] : [other];
      const { flags, lines } = await withFlags(JSON.stringify({ version: 2, features }));
      expect(flags.rule('stock.writes')).toEqual(rule);
      const { kind } = flags.rule('stock.writes');
      const { on: asked } = flags.switch('stock.writes');
      expect(asked).toBe(kind === 'on' ? true : kind === 'off' ? false : null);
      const refused = kind === 'share' || kind === 'conditional';
      expect(lines.join('').includes('a switch asks for nothing')).toBe(refused);
      // What decides for the whole must be what the client decides for each.
      if (!refused && kind !== 'missing') {
        expect(flags.isEnabled('stock.writes', { userId: 'c' })).toBe(asked);
      }
    },
  );
});

describe('a request that names no customer', () => {
  const DRAWS = Array.from({ length: 200 }, (_unused, draw) => `${draw}`);
  const where = (contextName: string, operator: string, more: object): object => ({
    name: 'default',
    constraints: [{ contextName, operator, ...more }],
  });
  const old = (by: string): object => ({
    name: `gradualRollout${by}`,
    parameters: { percentage: '50', groupId: 'stock.reads' },
  });

  /** How many of so many draws a strategy is on for. */
  async function onFor(strategy: object, segments: readonly object[] = []): Promise<number> {
    const feature = { name: 'stock.reads', enabled: true, strategies: [strategy] };
    const document = { version: 2, features: [feature], segments };
    const { flags } = await withFlags(JSON.stringify(document));
    return DRAWS.filter((draw) => flags.isEnabled('stock.reads', { draw })).length;
  }

  it.each([
    ['a list of users', { name: 'userWithId', parameters: { userIds: DRAWS.join(',') } }],
    ['users of a constraint', where('userId', 'IN', { values: DRAWS })],
    ['sessions of a constraint', where('sessionId', 'IN', { values: DRAWS })],
    ['sessions above a number', where('sessionId', 'NUM_GTE', { value: '0' })],
    ['sessions that begin alike', where('sessionId', 'STR_CONTAINS', { values: ['1', '2'] })],
    ['draws, by any name', where('draw', 'IN', { values: DRAWS })],
    ['draws, by the name of the symbol', where('Symbol(draw)', 'IN', { values: DRAWS })],
    [
      'sessions of a constraint, and a share',
      { ...where('sessionId', 'IN', { values: DRAWS }), ...rollout('100') },
    ],
    ['a segment', { name: 'default', segments: [1] }],
  ])('is none of %s', async (_, strategy) => {
    const constraints = [{ contextName: 'sessionId', operator: 'IN', values: DRAWS }];
    expect(await onFor(strategy, [{ id: 1, constraints }])).toBe(0);
  });

  it.each([
    ['customers', rollout('50')],
    ['users', rollout('50', { stickiness: 'userId' })],
    ['sessions', rollout('50', { stickiness: 'sessionId' })],
    ['users, by an old strategy', old('UserId')],
    ['sessions, by an old strategy', old('SessionId')],
    [
      'those who are not on a list',
      { ...where('userId', 'NOT_IN', { values: DRAWS }), ...rollout('50') },
    ],
  ])('is in a share of %s as often as the share says', async (_, strategy) => {
    const count = await onFor(strategy);
    expect(count).toBeGreaterThan(60);
    expect(count).toBeLessThan(140);
  });
});

describe('flags', () => {
  it('learn what a switch asks for that a changed configuration brings along', async () => {
    const { flags, file } = await withFlags();
    await setFlags(file, { 'later.writes': 100 });
    await eventually(() => expect(flags.switch('later.writes').on).toBe(true));
    expect(flags.lastAsked('later.writes')).toBe(true);
    await setFlags(file, { 'later.writes': 0 });
    await eventually(() => expect(flags.lastAsked('later.writes')).toBe(false));
  });

  it('are made all off, once, when many make them together', async () => {
    const { flags, file } = await withFlags();
    expect((await readFlagFile(file)).features.map(({ name, enabled }) => [name, enabled])).toEqual(
      ['stock', 'bills'].flatMap((capability) => [
        [`${capability}.shadow`, false],
        [`${capability}.reads`, false],
        [`${capability}.writes`, false],
      ]),
    );
    expect(flags.state()).toEqual({ kept: 'file', source: file, read: true, trouble: null });
    const before = await readFile(file, 'utf8');
    await Promise.all(Array.from({ length: 20 }, () => createFlagFile(file, flagsOf('other'))));
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(await readdir(join(file, '..'))).toEqual(['flags.json']);
  });

  it('take effect without a restart, and a customer keeps the answer as a share grows', async () => {
    const { flags, file } = await withFlags();
    const customers = Array.from({ length: 400 }, (_, index) => `customer-${index}`);
    const chosen = (): string[] =>
      customers.filter((userId) => flags.isEnabled('stock.reads', { userId }));
    await setFlags(file, { 'stock.reads': 25 });
    await eventually(() => expect(flags.rule('stock.reads').share).toBe(25));
    const quarter = chosen();
    expect(quarter.length).toBeGreaterThan(60);
    expect(quarter.length).toBeLessThan(140);
    await setFlags(file, { 'stock.reads': 50, 'stock.writes': 100 });
    await eventually(() => expect(flags.rule('stock.reads').share).toBe(50));
    expect(chosen()).toEqual(expect.arrayContaining(quarter));
    expect(flags.isEnabled('stock.writes')).toBe(true);
    await setFlags(file, { 'stock.reads': 100 });
    await eventually(() => expect(chosen()).toEqual(customers));
    expect(flags.isEnabled('stock.reads')).toBe(false); // nobody in particular
  });

  it('tell listeners of a change', async () => {
    const { flags, file } = await withFlags();
    let calls = 0;
    const stop = flags.onChange(() => (calls += 1));
    await setFlags(file, { 'stock.writes': 100 });
    await eventually(() => expect(calls).toBe(1));
    stop();
    await setFlags(file, { 'stock.writes': 0 });
    await eventually(() => expect(flags.isEnabled('stock.writes')).toBe(false));
    expect(calls).toBe(1);
  });

  it('keep what they last knew when the file is damaged, and say so once', async () => {
    const { flags, file, lines } = await withFlags();
    await setFlags(file, { 'stock.writes': 100 });
    await eventually(() => expect(flags.isEnabled('stock.writes')).toBe(true));
    await writeFile(file, '{ "version": 2, "features": [{]');
    await eventually(() => expect(lines.join('')).toContain('the last known flags stay in force'));
    expect(flags.isEnabled('stock.writes')).toBe(true);
    expect(flags.switch('stock.writes').on).toBe(true);
    expect(flags.state()).toMatchObject({
      read: true,
      trouble: { reason: expect.stringMatching(/not JSON/) },
    });
    await expect(setFlags(file, { 'stock.writes': 0 })).rejects.toThrow(/not JSON/);
    await writeFile(file, '{ "version": 2, "features": [{ "name": "stock.writes" }] }');
    await eventually(() => expect(lines.join('')).toContain('features.0.enabled'));
    const both = [true, false].map((enabled) => ({ name: 'stock.writes', enabled }));
    await writeFile(file, JSON.stringify({ version: 2, features: both }));
    await eventually(() =>
      expect(lines.join('')).toContain('the flag stock.writes more than once'),
    );
    expect(flags.switch('stock.writes').on).toBe(true);
    await expect(setFlags(file, { 'stock.writes': 0 })).rejects.toThrow(/more than once/);
    await writeFile(file, '{ "version": 2, "features": [] }');
    await eventually(() => expect(flags.isEnabled('stock.writes')).toBe(false));
  });

  it('of others, and fields we do not know, survive a change', async () => {
    const { file } = await withFlags();
    const foreign = {
      version: 2,
      query: { environment: 'x' },
      features: [{ name: 'theirs', enabled: true, project: 'p', variants: [{ name: 'v' }] }],
    };
    await writeFile(file, JSON.stringify(foreign));
    await setFlags(file, { 'stock.shadow': 10 });
    const document = await readFlagFile(file);
    expect(document).toMatchObject({ version: 2, query: { environment: 'x' } });
    expect(document.features[0]).toEqual(foreign.features[0]);
    expect(document.features[1]).toMatchObject({
      name: 'stock.shadow',
      strategies: [
        {
          name: 'flexibleRollout',
          parameters: { rollout: '10', stickiness: 'userId', groupId: 'stock.shadow' },
        },
      ],
    });
  });

  it('changed by many at once are all changed', async () => {
    const { file } = await withFlags();
    const names = Array.from({ length: 12 }, (_, index) => `c${index}.reads`);
    await Promise.all(names.map((name) => setFlags(file, { [name]: 40 })));
    const known = (await readFlagFile(file)).features.map(({ name }) => name);
    expect(known).toEqual(expect.arrayContaining(names));
  });
});

describe('flags of an Unleash server', () => {
  const feature = {
    name: 'stock.reads',
    enabled: true,
    strategies: [{ name: 'flexibleRollout', parameters: { rollout: '100', stickiness: 'userId' } }],
  };

  /** Answers as the client features API does; `null` for a server that is in trouble. */
  async function withServer(
    use: (url: string, tokens: unknown[], answer: (up: boolean) => void) => Promise<void>,
  ): Promise<void> {
    const tokens: unknown[] = [];
    let up = false;
    const server = createServer((req, res) => {
      tokens.push(req.headers.authorization);
      res.statusCode = up ? 200 : 503;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ version: 2, features: up ? [feature] : [] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      await use(`http://127.0.0.1:${port}/api`, tokens, (now) => (up = now));
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('are off and unknown until it answers, and last known when it is gone', () =>
    withServer(async (url, tokens, answer) => {
      const env = { UNLEASH_URL: url, UNLEASH_TOKEN: 'a-token' };
      const log = createLog('test', 'silent');
      const flags = await openFlags({ env, appName: 'test', capabilities: ['stock'], log });
      expect(flags.state().read).toBe(false);
      expect(flags.switch('stock.writes')).toMatchObject(ASKS_NOTHING);
      expect(flags.isEnabled('stock.reads', { userId: 'a' })).toBe(false);
      expect(flags.rule('stock.reads').share).toBe(0);
      answer(true);
      await eventually(() => expect(flags.isEnabled('stock.reads', { userId: 'a' })).toBe(true));
      expect(flags.state().read).toBe(true);
      expect(flags.rule('stock.reads').share).toBe(100);
      expect(tokens).toContain('a-token');
      answer(false);
      const asked = tokens.length;
      await eventually(() => expect(tokens.length).toBeGreaterThan(asked));
      expect(flags.isEnabled('stock.reads', { userId: 'a' })).toBe(true);
      // Its next look would keep the process waiting for as long as the trouble has lasted.
      answer(true);
      const seen = tokens.length;
      await eventually(() => expect(tokens.length).toBeGreaterThan(seen));
      flags.close();
    }));
});
