import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { FigConfigInput } from '../../routing/index.ts';
import { figFor } from '../strangler/support/fig.ts';
import { withSides } from '../strangler/support/sides.ts';
import { eventually, request, withRedis } from '../support/index.ts';
import { json, withStand } from './stand.ts';
import type { Stand } from './stand.ts';

type Gateway = NonNullable<FigConfigInput['gateway']>;

interface Trouble {
  readonly code: string;
  readonly about: string;
  readonly what: string;
}

const BREAKER = { failures: 0.5, windowMs: 60_000, minimum: 2, openMs: 60_000, probes: 1 };

async function troubles({ adminUrl }: Stand): Promise<readonly Trouble[]> {
  return (await request<{ gateway: Trouble[] }>('GET', `${adminUrl}/status`)).body.gateway;
}

const readiness = async ({ adminUrl }: Stand) =>
  (
    await request<{ checks: Record<string, { ok: boolean; text: string; ageMs: number }> }>(
      'GET',
      `${adminUrl}/readyz?verbose`,
    )
  ).body.checks;

const withGateway = (gateway: Gateway, use: (stand: Stand) => Promise<void>, more = {}) =>
  withStand({ config: { gateway }, ...more }, use);

/** An issuer whose answer can be changed. */
async function withIssuer(
  use: (issuer: { url: string; answer: (res: ServerResponse) => void }) => Promise<void>,
): Promise<void> {
  const issuer = { url: '', answer: (res: ServerResponse): void => json(res, 200, { keys: [] }) };
  const server = createServer((_req, res) => issuer.answer(res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  try {
    await use(issuer);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** A token that only a look at the issuer's keys can refuse. */
const UNKNOWN_KEY = `${btoa('{"alg":"ES256","kid":"k"}')}.${btoa('{"sub":"a"}')}.AAAA`.replaceAll(
  '=',
  '',
);

describe('what of the gateway does not work', () => {
  it('is nothing where all does', () =>
    withGateway({ resilience: { breaker: BREAKER } }, async (stand) => {
      await request('GET', `${stand.url}/api/stock`);
      expect(await troubles(stand)).toEqual([]);
      const { gateway, routing, monolith } = await readiness(stand);
      expect(gateway).toMatchObject({ ok: true, text: 'ok' });
      expect(monolith?.ageMs).toBe(0);
      // The engine was asked when the facade started, and each second since.
      expect(routing?.ageMs).toBeGreaterThanOrEqual(0);
      expect(routing?.ageMs).toBeLessThan(30_000);
    }));

  it('is told of an open breaker by status, readiness, fig status and fig doctor', () =>
    withGateway({ resilience: { breaker: BREAKER } }, async (stand) => {
      stand.legacy.answer = (_req, res) => json(res, 500, {});
      await eventually(async () => {
        await request('POST', `${stand.url}/api/stock`, { body: {} });
        return (await troubles(stand)).length > 0;
      });
      const what = 'the breaker of legacy is open: nothing is sent to it';
      expect(await troubles(stand)).toEqual([{ code: 'breaker_open', about: 'legacy', what }]);
      const ready = await request<{ status: string }>('GET', `${stand.adminUrl}/readyz?verbose`);
      expect([ready.status, ready.body.status]).toEqual([200, 'ok']);
      expect((await readiness(stand))['gateway']).toMatchObject({ ok: true });
      await withSides(async (sides) => {
        const command = await figFor(sides, 'http://127.0.0.1:9');
        const fig = (line: string) => command(line, { ADMIN_URL: stand.adminUrl });
        const line = `gateway at ${stand.adminUrl}: ${what}; next: fig services`;
        expect((await fig('status')).stdout).toContain(line);
        expect(JSON.parse((await fig('status --json')).stdout)).toMatchObject({
          gateway: [{ facade: stand.adminUrl, troubles: [{ code: 'breaker_open', what }] }],
        });
        expect((await fig('doctor')).stdout).toContain(
          `breaker_open: the facade at ${stand.adminUrl}: ${what}`,
        );
        const { findings } = JSON.parse((await fig('doctor --json')).stdout) as {
          findings: Trouble[];
        };
        expect(findings).toContainEqual(expect.objectContaining({ code: 'breaker_open' }));
      });
    }));

  it('is an instance that was ejected', () =>
    withStand({}, async ({ legacy, extracted, monolith }) =>
      withGateway(
        {},
        async (stand) => {
          await eventually(async () => {
            await request('GET', `${stand.url}/other`);
            return (await troubles(stand)).length > 0;
          });
          expect(await troubles(stand)).toMatchObject([
            { code: 'instance_ejected', about: 'http://127.0.0.1:1' },
          ]);
        },
        {
          config: {
            upstreams: {
              legacy: legacy.url,
              extracted: extracted.url,
              monolith: {
                url: monolith.url,
                instances: [monolith.url, 'http://127.0.0.1:1'],
              },
            },
          },
        },
      ),
    ));

  it('is that limits go on locally while Redis is away', () =>
    withRedis(async (redis) => {
      const limits = [{ name: 'all', path: '/*', requests: 100, seconds: 60 }];
      await withGateway(
        { limits },
        async (stand) => {
          await eventually(async () => (await troubles(stand)).length === 0);
          await redis.stop();
          await eventually(async () => (await troubles(stand)).length > 0);
          expect(await troubles(stand)).toMatchObject([{ code: 'limits_local' }]);
          expect((await readiness(stand))['gateway']?.text).toContain('rate limits by itself');
        },
        { redisUrl: redis.url },
      );
      // Without a Redis that is how it is meant.
      await withGateway({ limits }, async (stand) => expect(await troubles(stand)).toEqual([]));
    }));

  it('is an issuer that does not give its keys', () =>
    withIssuer((issuer) =>
      withGateway({ auth: { issuer: 'i', audience: 'a', jwks: issuer.url } }, async (stand) => {
        issuer.answer = (res) => json(res, 500, {});
        const refused = await request('GET', `${stand.url}/api/stock`, {
          headers: { authorization: `Bearer ${UNKNOWN_KEY}` },
        });
        expect(refused.status).toBe(401);
        const [trouble] = await troubles(stand);
        expect(trouble).toMatchObject({ code: 'issuer_keys', about: issuer.url });
        expect(trouble?.what).toContain('(it answers 500); no token can be verified');
      }),
    ));
});
