import { writeFile } from 'node:fs/promises';
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

const documentOf = (...features: object[]): string => JSON.stringify({ version: 2, features });
const WRITES_ON = { name: 'pages.writes', enabled: true, strategies: [{ name: 'default' }] };
const half = { name: 'flexibleRollout', parameters: { rollout: '50', stickiness: 'default' } };
const narrowed = {
  name: 'default',
  constraints: [{ contextName: 'userId', operator: 'IN', values: ['ann'] }],
};

describe('flags that can not be read, or ask for nothing', () => {
  const config = { capabilities: { pages: PAGES }, touches: [] };

  it.each([
    ['missing', null, /is missing; fig flags init/],
    ['empty', '', /it is empty/],
    ['damaged', '{ "version"', /not JSON/],
    [
      'on for some only',
      documentOf({ ...WRITES_ON, strategies: [half] }),
      /on for some only \(50 %\)/,
    ],
  ])(
    'keep writes from the wrong server where they decide, when %s at the start',
    (_, content, why) =>
      withStand({ config, flagsFile: content }, async (stand) => {
        const write = () => request('POST', `${stand.url}/pages/1`, { body: {} });
        expect(await request('GET', `${stand.adminUrl}/readyz`)).toMatchObject({
          status: 503,
          body: { status: 'not ready', checks: { flags: expect.stringMatching(why) } },
        });
        expect(await write()).toMatchObject({ status: 503, body: { code: 'owner_unknown' } });
        expect((await write()).headers['retry-after']).toBe('1');
        expect((await request('GET', `${stand.url}/pages/1`)).body).toEqual({ from: 'legacy' });
        const asked = new URLSearchParams({ method: 'POST', path: '/pages/1' });
        expect(await request('GET', `${stand.adminUrl}/explain?${asked.toString()}`)).toMatchObject(
          {
            body: { reason: 'unknown', why: expect.stringContaining('refused with 503') },
          },
        );
        await writeFile(stand.flagsFile, documentOf(WRITES_ON));
        await eventually(async () => expect((await write()).body).toEqual({ from: 'extracted' }));
        expect(stand.legacy.received.filter(({ method }) => method === 'POST')).toEqual([]);
        expect(await request('GET', `${stand.adminUrl}/readyz`)).toMatchObject({ status: 200 });
      }),
  );

  it('leave in force what was, and show in status, metrics, readiness and explanations', () =>
    withStand({ config, flagsFile: documentOf(WRITES_ON) }, async (stand) => {
      const get = async (path: string) => (await request('GET', `${stand.adminUrl}${path}`)).body;
      const metrics = async () => (await fetch(`${stand.adminUrl}/metrics`)).text();
      const write = async (): Promise<unknown> =>
        (await request('POST', `${stand.url}/pages/1`, { body: {} })).body;
      const reads = { name: 'pages.reads', enabled: true, strategies: [narrowed] };
      await writeFile(stand.flagsFile, documentOf({ ...WRITES_ON, strategies: [half] }, reads));
      await eventually(async () => {
        expect(await get('/status')).toMatchObject({
          capabilities: [
            {
              owner: 'extracted',
              flags: {
                writes: null,
                reads: 100,
                conditions: {
                  writes: expect.stringContaining('on for some only (50 %)'),
                  reads: '100 % only where userId IN ann',
                },
              },
            },
          ],
        });
      });
      expect(await metrics()).toContain('fig_flag_refused{flag="pages.writes"} 1');
      expect(await write()).toEqual({ from: 'extracted' });
      const why = async (customer: string): Promise<unknown> =>
        ((await get(`/explain?path=/pages/1&customer=${customer}`)) as { why: string }).why;
      expect(await why('bob')).toMatch(
        /100 % only where userId IN ann\) asks for extracted|asks for legacy/,
      );
      expect(await why('bob')).not.toMatch(/place/);
      await writeFile(stand.flagsFile, 'nothing');
      await eventually(async () => {
        expect(await get('/status')).toMatchObject({
          flags: { read: true, trouble: { reason: expect.stringContaining('not JSON') } },
        });
      });
      expect(await metrics()).toContain('fig_flags_readable 0');
      expect(await request('GET', `${stand.adminUrl}/readyz`)).toMatchObject({
        status: 200,
        body: { checks: { flags: expect.stringMatching(/ok, but .+what was read last stays/) } },
      });
      expect(await write()).toEqual({ from: 'extracted' });
    }));
});
