import { describe, expect, it } from '@jest/globals';
import { request } from '../support/index.ts';
import { withStand } from './stand.ts';

interface Index {
  readonly routes: Readonly<Record<string, string>>;
}

describe('the admin port', () => {
  it('tells whoever opens it what is behind, and all of it is', () =>
    withStand({}, async ({ adminUrl }) => {
      const index = await request<Index>('GET', `${adminUrl}/`);
      expect(index.status).toBe(200);
      const paths = Object.keys(index.body.routes);
      expect(paths).toEqual(expect.arrayContaining(['/status', '/metrics', '/readyz']));
      for (const path of paths) {
        const { status } = await fetch(adminUrl + path);
        expect({ path, status }).toEqual({ path, status: 200 });
      }
    }));
});
