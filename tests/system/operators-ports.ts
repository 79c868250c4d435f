import { statSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { tokenFile } from '../../chassis/index.ts';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { request } from '../support/index.ts';
import { fig } from './fig-commands.ts';

const OURS = ['provider', 'inventory', 'payment', 'monolith', 'engine', 'admin'] as const;
const EVIL = 'http://evil.example';

interface Owners {
  readonly capabilities: readonly { readonly capability: string; readonly owner: string }[];
}

async function ownersOf(system: System): Promise<unknown> {
  const headers = asOperator(system);
  const { body } = await request<Owners>('GET', `${system.urls['engine']}/status`, { headers });
  return body.capabilities.map(({ capability, owner }) => [capability, owner]);
}

async function codeOf(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  text?: string,
): Promise<readonly [number, unknown]> {
  const sent = text === undefined ? { headers } : { headers, text };
  const { status, body } = await request<{ code?: string } | undefined>(method, url, sent);
  return [status, body?.code];
}

/** Requests as a web page of another origin can send them, over plain HTTP. */
export function operatorsPorts(started: () => System): void {
  describe('the ports of a whole system', () => {
    it.each(OURS)('refuse what a page of another origin sends: %s', async (name) => {
      const system = started();
      const url = system.urls[name] ?? '';
      const { port } = new URL(url);
      // With the token, so that nothing but the page's traits can be the reason.
      const operator = asOperator(system);
      for (const host of [`evil.example:${port}`, '127.evil.example', 'localhost@evil.example']) {
        const refused = await codeOf(`${url}/livez`, 'GET', { ...operator, host });
        expect([host, ...refused]).toEqual([host, 403, 'foreign_host']);
      }
      for (const origin of [EVIL, 'null', `http://localhost:${port}`, 'http://127.0.0.1:1']) {
        const refused = await codeOf(`${url}/handovers`, 'POST', { ...operator, origin }, '{}');
        expect([origin, ...refused]).toEqual([origin, 403, 'foreign_origin']);
      }
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp']) {
        const headers = { ...operator, 'content-type': type };
        const refused = await codeOf(`${url}/handovers`, 'POST', headers, '{}');
        expect([type, ...refused]).toEqual([type, 415, 'unsupported_media_type']);
      }
      expect((await codeOf(`${url}/livez`, 'GET', { origin: url }))[0]).toBe(200);
    });

    it.each(['engine', 'admin'])('want the token of operators: %s', async (name) => {
      const system = started();
      const url = system.urls[name] ?? '';
      for (const path of ['/status', '/', '/STATUS', '//status', '/nothing']) {
        expect([path, ...(await codeOf(url + path, 'GET', {}))]).toEqual([
          path,
          401,
          'token_required',
        ]);
      }
      const wrong = { authorization: 'Bearer 0123456789abcdef' };
      expect(await codeOf(`${url}/status`, 'GET', wrong)).toEqual([401, 'token_required']);
      expect((await codeOf(`${url}/status`, 'GET', asOperator(system)))[0]).toBe(200);
      expect((await codeOf(`${url}/readyz`, 'GET', {}))[0]).toBe(200);
      expect(statSync(tokenFile(system.env)).mode & 0o777).toBe(0o600);
    });

    it('move no ownership for whoever has no token', async () => {
      const system = started();
      const before = await ownersOf(system);
      const order = JSON.stringify({ capability: 'inventory', to: 'extracted' });
      const url = `${system.urls['engine']}/handovers`;
      for (const type of ['text/plain', 'application/json']) {
        const [status] = await codeOf(url, 'POST', { 'content-type': type }, order);
        expect([401, 415]).toContain(status);
      }
      expect(await ownersOf(system)).toEqual(before);
    });

    it('tell inner things to operators only, also through the facade', async () => {
      const system = started();
      for (const name of ['facade', 'monolith', 'inventory', 'payment']) {
        const url = `${system.urls[name]}/fences`;
        expect([name, await codeOf(url, 'GET', {})]).toEqual([name, [401, 'token_required']]);
        expect((await codeOf(url, 'GET', asOperator(system)))[0]).toBe(200);
      }
      const page = { origin: EVIL, 'content-type': 'text/plain' };
      const facade = system.urls['facade'] ?? '';
      expect((await codeOf(`${facade}/api/orders`, 'POST', page, '{}'))[0]).toBe(403);
      const own = { origin: facade };
      expect((await codeOf(`${facade}/api/orders`, 'POST', own, '{}'))[1]).toBe('invalid_request');
    });

    it("take keys of the system's from its own processes only", async () => {
      const { urls } = started();
      for (const name of ['monolith', 'inventory', 'payment']) {
        const headers = { 'x-fig-caller': 'system', 'idempotency-key': 'order:1:release' };
        const url = `${urls[name]}/api/${name === 'payment' ? 'payments/1/refunds' : 'inventory/reservations/1/release'}`;
        expect(await codeOf(url, 'POST', headers)).toEqual([401, 'token_required']);
      }
    });

    it('let a browser in by a link that is good once', async () => {
      const system = started();
      const admin = system.urls['admin'] ?? '';
      const { code, stdout } = await fig(system, 'open --print');
      const link = stdout.trim();
      expect([code, link]).toEqual([0, expect.stringMatching(`^${admin}/open\\?code=\\S+$`)]);
      const first = await request('GET', link);
      const given = String(first.headers['set-cookie']);
      expect([first.status, given]).toEqual([303, expect.stringMatching(/HttpOnly/)]);
      expect(given).toMatch(/SameSite=Strict/);
      expect(await codeOf(link, 'GET', {})).toEqual([403, 'link_used']);
      const cookie = given.split(';', 1)[0] ?? '';
      expect((await codeOf(`${admin}/status`, 'GET', { cookie }))[0]).toBe(200);
      // Other ports of this machine are the same site, and get the same cookies.
      const neighbour = { cookie, 'sec-fetch-site': 'same-site' };
      expect((await codeOf(`${admin}/status`, 'GET', neighbour))[0]).toBe(401);
      const [refused] = await codeOf(`${admin}/links`, 'POST', { cookie, origin: EVIL }, '{}');
      expect(refused).toBe(403);
    });
  });
}
