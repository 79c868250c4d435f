import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { request, withTempDir } from '../support/index.ts';
import { withStand } from './stand.ts';
import type { Stand } from './stand.ts';

type OpenApi = NonNullable<NonNullable<FigConfigInput['gateway']>['openapi']>;
const OLD = { openapi: '3.1.0', info: { title: 'old' } };
const NEW = { openapi: '3.1.0', info: { title: 'new' } };

function withDocuments(
  use: (stand: Stand, made: () => number) => Promise<void>,
  more: Partial<OpenApi> = {},
): Promise<void> {
  return withTempDir(async (folder) => {
    const file = join(folder, 'v1.json');
    await writeFile(file, JSON.stringify(OLD));
    let made = 0;
    const v2 = (): object => {
      made += 1;
      return NEW;
    };
    const openapi = { documents: { v1: file, v2 }, ...more };
    await withStand({ config: { gateway: { openapi } } }, (stand) => use(stand, () => made));
  });
}

describe('the documents of an interface', () => {
  it('are served by name, the first also without one, each made at most once', () =>
    withDocuments(async ({ url, monolith }, made) => {
      for (const [path, document] of [
        ['/openapi.json', OLD],
        ['/openapi/v1.json', OLD],
        ['/openapi/v2.json', NEW],
        ['/openapi/v2.json?x=1', NEW],
      ] as const) {
        const answer = await request('GET', url + path);
        expect([path, answer]).toMatchObject([path, { status: 200, body: document }]);
        expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      }
      expect(made()).toBe(1);
      const head = await request('HEAD', `${url}/openapi.json`);
      expect([head.status, head.headers['content-length'], head.body]).toEqual([
        200,
        String(JSON.stringify(OLD).length),
        undefined,
      ]);
      expect(await request('POST', `${url}/openapi.json`, { body: {} })).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD' },
      });
      expect(monolith.received).toEqual([]);
    }));

  it('are not served without the setting: the paths are the application’s', () =>
    withStand({}, async ({ url, monolith }) => {
      for (const path of ['/openapi.json', '/docs', '/docs/start.js']) {
        expect((await request('GET', url + path)).body).toEqual({ from: 'monolith' });
      }
      expect(monolith.received).toHaveLength(3);
    }));
});

describe('the page', () => {
  it('needs nothing from elsewhere', () =>
    withDocuments(async ({ url }) => {
      const page = await request<string>('GET', `${url}/docs`);
      expect(page.status).toBe(200);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'; script-src");
      const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link);
      expect(links).toHaveLength(6);
      for (const link of links) {
        const { status, headers } = await request('GET', `${url}${link}`);
        expect([link, status]).toEqual([link, 200]);
        expect(headers).toHaveProperty('x-content-type-options', 'nosniff');
      }
      expect(page.body).not.toMatch(/<script>|style=|https?:/);
      const { body } = await request<string>('GET', `${url}/docs/start.js`);
      expect(body).toContain('[{"name":"v1","url":"/openapi/v1.json"},{"name":"v2",');
      for (const path of ['/docs/../package.json', '/docs/package.json', '/docs/swagger-ui.js']) {
        expect((await request('GET', url + path)).body).not.toHaveProperty('version');
      }
    }));

  it('can be elsewhere, or nowhere', async () => {
    await withDocuments(
      async ({ url }) => {
        expect((await request('GET', `${url}/api/reference/`)).status).toBe(200);
        expect((await request('GET', `${url}/docs`)).body).toEqual({ from: 'monolith' });
      },
      { page: '/api/reference' },
    );
    await withDocuments(
      async ({ url }) => {
        expect((await request('GET', `${url}/docs`)).body).toEqual({ from: 'monolith' });
      },
      { page: false },
    );
  });
});
