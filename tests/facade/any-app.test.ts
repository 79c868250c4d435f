import { describe, expect, it } from '@jest/globals';
import { eventually, request } from '../support/index.ts';
import { json, withStand } from './stand.ts';

const PAGES = { legacy: 'legacy', extracted: 'extracted', routes: ['/pages/*'] };

describe('in front of apps whose data nobody moves', () => {
  it('ramps reads by flag alone, for anybody, and writes follow their own flag', () =>
    withStand({ config: { capabilities: { pages: PAGES }, touches: [] } }, async (stand) => {
      const read = async (): Promise<unknown> =>
        (await request('GET', `${stand.url}/pages/1`)).body;
      const write = async (): Promise<unknown> =>
        (await request('POST', `${stand.url}/pages/1`, { body: {} })).body;
      expect(await read()).toEqual({ from: 'legacy' });
      await stand.flags({ 'pages.reads': 50 });
      await eventually(async () => expect(await read()).toEqual({ from: 'extracted' }));
      await eventually(async () => expect(await read()).toEqual({ from: 'legacy' }));
      await stand.flags({ 'pages.reads': 100 });
      await eventually(async () => expect(await read()).toEqual({ from: 'extracted' }));
      expect(await write()).toEqual({ from: 'legacy' });
      await stand.flags({ 'pages.writes': 100 });
      await eventually(async () => expect(await write()).toEqual({ from: 'extracted' }));
      expect(stand.engine.received.filter(({ url }) => url.startsWith('/barrier'))).toEqual([]);
    }));

  it('compares in the shadow without an engine', () =>
    withStand({ config: { capabilities: { pages: PAGES }, touches: [] } }, async (stand) => {
      await stand.engine.close();
      stand.legacy.answer = (_req, res) => json(res, 200, { title: 'a' });
      stand.extracted.answer = (_req, res) => json(res, 200, { title: 'b' });
      await stand.flags({ 'pages.shadow': 100 });
      await eventually(async () => {
        await request('GET', `${stand.url}/pages/1`);
        const status = await request('GET', `${stand.adminUrl}/status`);
        expect(status.body).toMatchObject({
          capabilities: [
            {
              experiments: {
                mismatches: expect.arrayContaining([
                  expect.objectContaining({
                    differences: [{ path: 'title', legacy: 'a', extracted: 'b' }],
                  }),
                ]),
              },
            },
          ],
        });
      });
    }));
});
