import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from '../tests/support/index.ts';
import { openAccess } from './access.ts';
import type { DeadLetterSource } from './dead-letters.ts';
import { createHttpApp } from './web/index.ts';
import { createExpressServer, listen } from './http-server.ts';
import { createLog } from './log.ts';
import { makeTokenFile, tokenFile, tokenIn } from './operator-token.ts';

let folder = '';
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'fig-token-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe("the operators' token", () => {
  it('is made once, for its user only, and read again at each use', () => {
    const file = tokenFile({ FIG_DATA_DIR: join(folder, 'data') });
    makeTokenFile(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const token = tokenIn(file);
    const before = token.headers()['authorization'];
    makeTokenFile(file);
    expect(token.accepts(before)).toBe(true);
    writeFileSync(file, '0123456789abcdef-another');
    expect(token.accepts(before)).toBe(false);
    expect(token.accepts('bearer 0123456789abcdef-another')).toBe(true);
    for (const other of [undefined, '', 'Bearer', 'Basic 0123456789abcdef-another']) {
      expect(token.accepts(other)).toBe(false);
    }
  });

  it('derives one that is good for fences only', () => {
    const file = join(folder, 'token');
    makeTokenFile(file);
    const token = tokenIn(file);
    const derived = token.headers('fences')['authorization'];
    expect(token.accepts(derived, 'fences')).toBe(true);
    expect(token.accepts(derived)).toBe(false);
    expect(token.accepts(token.headers()['authorization'], 'fences')).toBe(true);
  });

  it('is refused where its file is empty, naming file and remedy', () => {
    const file = join(folder, 'token');
    writeFileSync(file, '');
    expect(() => openAccess({ FIG_TOKEN_FILE: file })).toThrow(`${file} can't be used`);
  });
});

describe('a process of ours', () => {
  it('takes names that are configured, and tells operators only why it is not ready', async () => {
    const access = openAccess({ FIG_DATA_DIR: folder, FIG_HOSTS: 'engine, Shop.example' });
    const app = createHttpApp({
      name: 'test',
      log: createLog('test', 'silent'),
      access,
      routes: [],
      readiness: { database: () => Promise.reject(new Error('no /secret/file')) },
    });
    const at = { host: '127.0.0.1', port: 0, variable: 'PORT' };
    const listening = await listen(createExpressServer(app), at);
    const url = `http://127.0.0.1:${listening.port}`;
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await request('GET', `${url}/livez`, { headers })).status;
    try {
      for (const host of [
        'engine:4003',
        'shop.example',
        'LOCALHOST.:1',
        '[::1]:4003',
        'a.localhost',
      ]) {
        expect([host, await status({ host })]).toEqual([host, 200]);
      }
      for (const host of [
        'engine.evil.example',
        '127.evil.example',
        '10.0.0.1',
        'engine@evil.test',
      ]) {
        expect([host, await status({ host })]).toEqual([host, 403]);
      }
      expect(await status({ 'x-forwarded-host': 'evil.example' })).toBe(403);
      expect(await status({ 'x-forwarded-host': '192.0.2.7:8080' })).toBe(200);
      const forwarded = { 'x-forwarded-host': 'shop.example', origin: 'https://shop.example' };
      expect(await status(forwarded)).toBe(200);
      expect(await status({ ...forwarded, origin: 'https://shop.example:81' })).toBe(403);
      const told = await request('GET', `${url}/readyz`);
      expect([told.status, told.body]).toMatchObject([503, { checks: { database: 'not ready' } }]);
      const why = await request('GET', `${url}/readyz`, { headers: access.token.headers() });
      expect(why.body).toMatchObject({ checks: { database: 'no /secret/file' } });
    } finally {
      await listening.close();
    }
  });

  it('shows dead letters to operators only, and counts them for monitors', async () => {
    const access = openAccess({ FIG_DATA_DIR: folder });
    const none: DeadLetterSource = {
      list: () => Promise.resolve([]),
      count: () => Promise.resolve(2),
      find: () => Promise.resolve(undefined),
      retry: () => Promise.resolve(true),
      drop: () => Promise.resolve(true),
    };
    const log = createLog('test', 'silent');
    const app = createHttpApp({
      name: 'test',
      log,
      access,
      routes: [],
      deadLetters: { any: none },
    });
    const at = { host: '127.0.0.1', port: 0, variable: 'PORT' };
    const listening = await listen(createExpressServer(app), at);
    const url = `http://127.0.0.1:${listening.port}`;
    try {
      for (const [method, path] of [
        ['GET', '/dead-letters'],
        ['GET', '/dead-letters/any/1'],
        ['POST', '/dead-letters/any/1/retry'],
        ['POST', '/dead-letters/any/1/drop'],
      ] as const) {
        for (const headers of [
          {},
          access.token.headers('system'),
          access.token.headers('fences'),
        ]) {
          expect(await request(method, `${url}${path}`, { headers })).toMatchObject({
            status: 401,
            body: { code: 'token_required' },
          });
        }
        const { status } = await request(method, `${url}${path}`, {
          headers: access.token.headers(),
        });
        expect([path, status]).toEqual([path, path.endsWith('/1') ? 404 : 200]);
      }
      const metrics = await request<string>('GET', `${url}/metrics`);
      expect(metrics.body).toContain('\nfig_dead_letters{kind="any"} 2\n');
    } finally {
      await listening.close();
    }
  });
});
