import { describe, expect, it } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLog } from '../../chassis/index.ts';
import { createFlagFile, flagsOf, openFlags, setFlags } from '../../routing/index.ts';
import { eventually, withTempDir } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withStand } from './stand.ts';

const stock = {
  legacy: 'legacy',
  extracted: 'extracted',
  databases: { legacy: 'file:none', extracted: 'file:none' },
};

/** Asks by bytes: clients like to mend paths. @returns who has answered, or the status */
async function answerer(port: number, line: string): Promise<string> {
  const client = new RawClient(port).send(`${line} HTTP/1.1`, 'Host: fig');
  client.send('', 'Content-Length: 0', '', '');
  await eventually(() => client.text.endsWith('}'));
  client.close();
  return /"from":"(\w+)"/.exec(client.text)?.[1] ?? String(client.statuses[0]);
}

describe('a route', () => {
  it('may name methods and leave out paths', () =>
    withStand(
      {
        config: {
          capabilities: {
            stock: {
              ...stock,
              routes: [
                { path: '/segments', methods: ['GET'] },
                { path: '/segments/:id', except: ['/segments/strategies', '/segments/a/*'] },
                { path: '/segments/:id/rows', methods: ['POST', 'DELETE'] },
              ],
            },
          },
          touches: [],
        },
      },
      async ({ port }) => {
        const seen: Record<string, string> = {};
        for (const line of [
          'GET /segments',
          'HEAD /segments',
          'POST /segments',
          'GET /segments/7',
          'PUT /segments/7',
          'POST /segments/strategies',
          'GET /SEGMENTS/strategies/',
          'GET /segments/a',
          'GET /segments/7/rows',
          'POST /segments/7/rows',
          'DELETE /segments/7/rows',
        ]) {
          if (!line.startsWith('HEAD')) seen[line] = await answerer(port, line);
        }
        expect(seen).toEqual({
          'GET /segments': 'legacy',
          'POST /segments': 'monolith',
          'GET /segments/7': 'legacy',
          'PUT /segments/7': 'legacy',
          'POST /segments/strategies': 'monolith',
          'GET /SEGMENTS/strategies/': 'monolith',
          'GET /segments/a': 'monolith',
          'GET /segments/7/rows': 'monolith',
          'POST /segments/7/rows': 'legacy',
          'DELETE /segments/7/rows': 'legacy',
        });
      },
    ));

  it.each(['refuse', 'pass'] as const)(
    'with encoded slashes: passed where no capability could be meant, else by its setting (%s)',
    (encodedSlashes) =>
      withStand(
        {
          config: {
            capabilities: {
              stock: { ...stock, routes: ['/api/stock', '/api/stock/:id'], encodedSlashes },
            },
          },
        },
        async ({ port, monolith, legacy }) => {
          const untouched = '/files/a%2fb%2Fc%5cd';
          expect(await answerer(port, `GET ${untouched}`)).toBe('monolith');
          expect(monolith.received[0]?.url).toBe(untouched);
          for (const path of [
            '/api%2fstock',
            '/api%5Cstock',
            '/x%2f..%2fapi/stock',
            '/%2fapi/stock',
          ])
            expect(await answerer(port, `GET ${path}`)).toBe('400');
          // A write to it would change a capability, for a server that decodes the slash.
          expect(await answerer(port, 'POST /api%2forders')).toBe('400');
          expect(await answerer(port, 'GET /api%2forders')).toBe('monolith');
          const owned = await answerer(port, 'GET /api/stock/a%2Fb');
          expect(owned).toBe(encodedSlashes === 'pass' ? 'legacy' : '400');
          if (encodedSlashes === 'pass') expect(legacy.received[0]?.url).toBe('/api/stock/a%2Fb');
        },
      ),
  );

  it.each([
    { stripsParameters: [], by: 'monolith' },
    { stripsParameters: ['monolith'], by: 'legacy' },
  ])('with parameters, to a monolith that strips them or not: $stripsParameters', (each) =>
    withStand({ config: { stripsParameters: each.stripsParameters } }, async ({ port, legacy }) => {
      for (const path of ['/api/stock;v=1', '/;v=1/api/stock', '/api/;v=1/stock/a']) {
        expect(await answerer(port, `GET ${path}`)).toBe(each.by);
      }
      expect(await answerer(port, 'GET /api/stock/a;v=1')).toBe('legacy');
      expect(legacy.received.at(-1)?.url).toBe('/api/stock/a;v=1');
    }),
  );
});

describe('a flag', () => {
  it('for some users is for nobody who names none; a share is for a share of those', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'flags.json');
      const options = { appName: 'test', capabilities: ['stock'], log: createLog('t', 'silent') };
      await createFlagFile(file, flagsOf('stock'));
      const env = { FIG_FLAGS_FILE: file };
      const flags = await openFlags({ env, ...options });
      try {
        const on = (): number =>
          Array.from({ length: 200 }, (_unused, draw) =>
            flags.isEnabled('stock.reads', { draw: `${draw}` }),
          ).filter(Boolean).length;
        await setFlags(file, { 'stock.reads': 50 });
        await eventually(() => on() > 60 && on() < 140);
        const text = await readFile(file, 'utf8');
        const list = { name: 'userWithId', parameters: { userIds: '42,43' } };
        const changed = JSON.parse(text) as { features: { name: string; strategies: unknown[] }[] };
        for (const feature of changed.features) feature.strategies = [list];
        await writeFile(file, JSON.stringify(changed));
        await eventually(() => on() === 0);
        const listed = ['42', '43', '44'].map((userId) =>
          flags.isEnabled('stock.reads', { userId }),
        );
        expect(listed).toEqual([true, true, false]);
      } finally {
        flags.close();
      }
    }));
});
