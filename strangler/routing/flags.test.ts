import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '../../chassis/index.ts';
import { eventually } from '../../tests/support/index.ts';
import { createFlagFile, readFlagFile, setFlags } from './flag-file.ts';
import { openFlags } from './flags.ts';
import type { Flags } from './flags.ts';

const opened: Flags[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const flags of opened.splice(0)) flags.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function withFlags(): Promise<{ flags: Flags; file: string; lines: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-flags-'));
  folders.push(folder);
  const lines: string[] = [];
  const log = createLog('test', 'info', { write: (line: string) => void lines.push(line) });
  const env = { FIG_DATA_DIR: folder };
  const flags = await openFlags({ env, appName: 'test', capabilities: ['stock', 'bills'], log });
  opened.push(flags);
  return { flags, file: join(folder, 'flags.json'), lines };
}

describe('flags', () => {
  it('are made all off when the file is missing', async () => {
    const { flags, file } = await withFlags();
    expect(flags.loaded()).toBe(true);
    expect((await readFlagFile(file)).features.map(({ name, enabled }) => [name, enabled])).toEqual(
      ['stock', 'bills'].flatMap((capability) => [
        [`${capability}.shadow`, false],
        [`${capability}.reads`, false],
        [`${capability}.writes`, false],
      ]),
    );
    expect(flags.isEnabled('stock.writes')).toBe(false);
    expect(flags.share('stock.reads')).toBe(0);
  });

  it('are one file when many processes start together', async () => {
    const { file } = await withFlags();
    const before = await readFile(file, 'utf8');
    await Promise.all(Array.from({ length: 20 }, () => createFlagFile(file, ['other'])));
    expect(await readFile(file, 'utf8')).toBe(before);
    expect(await readdir(join(file, '..'))).toEqual(['flags.json']);
  });

  it('take effect without a restart, and a customer keeps the answer as a share grows', async () => {
    const { flags, file } = await withFlags();
    const customers = Array.from({ length: 400 }, (_, index) => `customer-${index}`);
    const chosen = (): string[] =>
      customers.filter((userId) => flags.isEnabled('stock.reads', { userId }));
    await setFlags(file, { 'stock.reads': 25 });
    await eventually(() => expect(flags.share('stock.reads')).toBe(25));
    const quarter = chosen();
    expect(quarter.length).toBeGreaterThan(60);
    expect(quarter.length).toBeLessThan(140);
    await setFlags(file, { 'stock.reads': 50, 'stock.writes': 100 });
    await eventually(() => expect(flags.share('stock.reads')).toBe(50));
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
    await expect(setFlags(file, { 'stock.writes': 0 })).rejects.toThrow(/not JSON/);
    await writeFile(file, '{ "version": 2, "features": [{ "name": "stock.writes" }] }');
    await eventually(() => expect(lines.join('')).toContain('features.0.enabled'));
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
      expect(flags.loaded()).toBe(false);
      expect(flags.isEnabled('stock.reads', { userId: 'a' })).toBe(false);
      expect(flags.share('stock.reads')).toBe(0);
      answer(true);
      await eventually(() => expect(flags.isEnabled('stock.reads', { userId: 'a' })).toBe(true));
      expect(flags.loaded()).toBe(true);
      expect(flags.share('stock.reads')).toBe(100);
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
