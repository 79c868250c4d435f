import { describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { eventually, request } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { json, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

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

describe('the stream of the console', () => {
  const listen = ({ adminUrl }: Pick<Stand, 'adminUrl'>): RawClient =>
    new RawClient(Number(new URL(adminUrl).port)).send(
      'GET /events HTTP/1.1',
      'Host: localhost',
      '',
      '',
    );
  const statesOf = ({ text }: RawClient): number => text.split('event: state\n').length - 1;

  it('asks the engine for no page that has left, also before its first event', () =>
    withStand({}, async (stand) => {
      const held: ServerResponse[] = [];
      let askedAt = 0;
      stand.engine.answer = ({ url }, res) => {
        if (url !== '/status') return json(res, 200, []);
        askedAt = performance.now();
        held.push(res);
      };
      const page = listen(stand);
      await eventually(() => held.length === 1);
      page.close();
      // Asked later, and so answered when the facade knows that the page has left.
      expect((await request('GET', `${stand.adminUrl}/livez`)).status).toBe(200);
      // Each answer that the engine owes, until it is asked no more.
      await eventually(
        () => {
          for (const res of held.splice(0)) json(res, 200, { capabilities: [] });
          return performance.now() - askedAt > 2_500;
        },
        { timeoutMs: 10_000 },
      );
    }));

  it('goes on for a page while others come and go', () =>
    withStand({}, async (stand) => {
      const page = listen(stand);
      await eventually(
        async () => {
          const other = listen(stand);
          await eventually(() => statesOf(other) > 0);
          other.close();
          return statesOf(page) >= 4;
        },
        { timeoutMs: 10_000 },
      );
      page.close();
    }));
});
