import { readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOperator, projectRoot } from '../../system/index.ts';
import { eventually, openSystem, request } from '../support/index.ts';
import { fig } from '../system/fig-commands.ts';
import { linkOf } from './open-console.ts';

let opened: Awaited<ReturnType<typeof openSystem>>;
beforeAll(async () => {
  opened = await openSystem();
}, 180_000);
afterAll(() => opened.close());

const admin = (): string => opened.system.urls['admin'] ?? '';

/** The cookie of a browser that has opened a link. */
async function signIn(): Promise<string> {
  const { status, headers } = await request('GET', await linkOf(opened.system));
  expect([status, headers['location']]).toEqual([303, '/console/']);
  return String(headers['set-cookie']).split(';')[0] ?? '';
}

interface Stream {
  readonly response: IncomingMessage;
  /** Events so far, by name. */
  readonly events: readonly (readonly [name: string, data: unknown])[];
  close(): void;
}

async function openStream(cookie: string): Promise<Stream> {
  const events: [string, unknown][] = [];
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${admin()}/events`, { headers: { cookie } }, resolve).on('error', reject);
  });
  let text = '';
  response.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
      if (name !== undefined) events.push([name, JSON.parse(data ?? '') as unknown]);
    }
  });
  return { response, events, close: () => response.destroy() };
}

describe('the console, without a browser', () => {
  it('is a page of files of its own, for those who were let in', async () => {
    const accept = 'text/html,*/*';
    const refused = await request('GET', `${admin()}/console/`, { headers: { accept } });
    expect(refused.status).toBe(401);
    expect(refused.body).toContain('fig open');
    const cookie = await signIn();
    const page = await request<string>('GET', `${admin()}/console/capabilities/any`, {
      headers: { cookie, accept },
    });
    expect(page).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': expect.stringMatching(/script-src 'self'; style-src 'self';/),
      },
    });
    expect(page.body).not.toMatch(
      /<script(?![^>]* src=)|<style|\son\w+=|https?:\/\/(?!www\.w3\.org)/,
    );
    const assets = [...page.body.matchAll(/(?:src|href)="(\/console\/[^"]+)"/g)].map(
      ([, at]) => at,
    );
    expect(assets.length).toBeGreaterThanOrEqual(2);
    for (const asset of assets) {
      const url = `${admin()}${asset}`;
      expect((await request('GET', url)).status).toBe(401);
      const { status, headers } = await request('GET', url, { headers: { cookie } });
      expect([status, headers['cache-control']]).toEqual([
        200,
        'private, max-age=31536000, immutable',
      ]);
    }
    expect(
      (
        await request('GET', `${admin()}/console/assets/..%2F..%2Fpackage.json`, {
          headers: { cookie },
        })
      ).status,
    ).toBe(404);
  });

  it('is under 150 KB in all, packed', () => {
    const folder = join(projectRoot, 'dist', 'console');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== '.built')
      .map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name))).length);
    expect(files.length).toBeGreaterThanOrEqual(3);
    expect(files.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(150_000);
  });

  it('streams the figures of fig status', async () => {
    expect((await request('GET', `${admin()}/events`)).status).toBe(401);
    for (let count = 0; count < 5; count += 1) {
      await request('GET', `${opened.system.urls['facade']}/api/inventory/SHIP-001`);
    }
    const stream = await openStream(await signIn());
    try {
      expect(stream.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
      await eventually(() => expect(stream.events.length).toBeGreaterThan(3));
      expect(stream.events[0]).toEqual(['history', expect.any(Array)]);
      const [name, state] = stream.events.at(-1) as [string, Record<'engine' | 'facade', object>];
      const told = JSON.parse((await fig(opened.system, 'status --json')).stdout) as {
        capabilities: readonly object[];
        facades: readonly { url: string; problem: null; traffic: readonly object[] }[];
      };
      expect(name).toBe('state');
      // These three move by themselves between two readings.
      const moving = { lag: {}, position: expect.any(Number), applied: expect.any(Number) };
      expect(state).toMatchObject({
        engineTrouble: null,
        engine: { capabilities: told.capabilities.map((one) => ({ ...one, ...moving })) },
      });
      const reads = { capability: 'inventory', side: 'legacy', requests: 5, errors: 0 };
      expect(state.facade).toMatchObject({ traffic: [reads] });
      expect(told.facades).toMatchObject([{ url: admin(), problem: null, traffic: [reads] }]);
      const { body } = await request<string>('GET', `${admin()}/metrics`);
      expect(body).toContain(
        'fig_requests_total{capability="inventory",side="legacy",status="200"} 5',
      );
    } finally {
      stream.close();
    }
  });

  it('passes on what is asked of the engine: dry runs, orders and refusals', async () => {
    const cookie = await signIn();
    const act = (path: string, body: object, headers: object = { cookie }) =>
      request('POST', `${admin()}/engine${path}`, { body, headers: { ...headers } });
    const share = { capability: 'inventory', kind: 'shadow', share: 10 };
    expect((await act('/shares', share, {})).status).toBe(401);
    expect((await act('/shares', share, { cookie, origin: 'http://evil.test' })).status).toBe(403);
    const crossSite = { cookie, 'sec-fetch-site': 'same-site' };
    expect((await act('/shares', share, crossSite)).status).toBe(401);
    const form = { cookie, 'content-type': 'text/plain' };
    expect((await act('/shares', share, form)).status).toBe(415);
    expect(await act('/shares', { ...share, dryRun: true })).toMatchObject({
      status: 409,
      body: { code: 'gate_refused', next: 'fig backfill inventory' },
    });
    expect(await act('/backfills', { capability: 'inventory', dryRun: true })).toMatchObject({
      status: 200,
      body: { outcome: 'planned', state: 'none', steps: expect.any(Array) },
    });
    expect(
      await act('/aborts', { capability: 'inventory', handover: 'x', dryRun: true }),
    ).toMatchObject({ status: 409, body: { code: 'nothing_to_abort', next: 'fig status' } });
    expect(await act('/handovers', { capability: 'inventory', to: 'extracted' })).toMatchObject({
      status: 409,
      body: { code: 'gate_refused', next: 'fig backfill inventory' },
    });
    expect((await act('/repairs', { capability: 'inventory' })).status).toBe(404);
    expect((await fig(opened.system, 'backfill inventory')).code).toBe(0);
    expect(await act('/shares', { ...share, dryRun: true })).toMatchObject({
      status: 200,
      body: { outcome: 'planned', flag: 'inventory.shadow', before: 0, share: 10 },
    });
    expect(await act('/shares', share)).toMatchObject({ status: 200, body: { outcome: 'set' } });
    expect((await fig(opened.system, 'flags')).stdout).toMatch(/inventory.shadow +10 %/);
    expect(await act('/reconciles', { capability: 'inventory', dryRun: true })).toMatchObject({
      body: { outcome: 'planned', steps: expect.any(Array) },
    });
    await act('/reconciles', { capability: 'inventory' });
    const read = async (path: string) =>
      (await request('GET', `${admin()}${path}`, { headers: { cookie } })).body;
    expect(await read('/engine/comparisons')).toMatchObject({
      reports: [{ capability: 'inventory', clean: true, rows: [] }],
      unread: [],
    });
    expect(await read('/engine/parked')).toEqual({ parked: [], unread: [] });
    expect(await read('/dead-letters')).toMatchObject({
      applications: ['monolith', 'notification', 'order-view'].map((upstream) => {
        return { upstream, problem: null, deadLetters: [] };
      }),
    });
    opened.system.pause('engine');
    const away = await request('GET', `${admin()}/engine/handovers`, {
      headers: asOperator(opened.system),
      timeoutMs: 20_000,
    });
    opened.system.resume('engine');
    expect(away).toMatchObject({ status: 503, body: { code: 'engine_away', next: 'fig status' } });
  }, 60_000);
});
