import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRemoteJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  jwtVerify,
  SignJWT,
} from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { defineConfig } from '../../routing/index.ts';
import type { FigConfigInput } from '../../routing/index.ts';
import { eventually, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { json, withStand } from './stand.ts';
import type { Stand } from './stand.ts';
import { STOCK } from './stock.ts';

const SECRET = 'a secret that is long enough for HS256';
const ISSUER = 'https://id.example';
const AUDIENCE = 'shop';

type Auth = NonNullable<NonNullable<FigConfigInput['gateway']>['auth']>;
const RULES: Auth['rules'] = [
  { path: '/open/*', anyone: true },
  { path: '/api/stock/*', methods: ['POST'], scopes: ['stock:write'] },
  { path: '/staff/*', roles: ['staff', 'admin'] },
];

let folder: string;
let secretFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fig-auth-'));
  secretFile = join(folder, 'secret');
  await writeFile(secretFile, SECRET);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function withAuth(
  auth: Partial<Auth>,
  use: (stand: Stand) => Promise<void>,
  more: Partial<FigConfigInput> = {},
): Promise<void> {
  const settings: Auth = {
    issuer: ISSUER,
    audience: AUDIENCE,
    rules: RULES,
    ...(auth.jwks === undefined ? { secretFile } : {}),
    ...auth,
  };
  return withStand({ config: { gateway: { auth: settings }, ...more } }, use);
}

interface TokenOptions {
  readonly claims?: JWTPayload;
  readonly issuer?: string;
  readonly audience?: string;
  readonly expiresIn?: string | null;
  readonly notBefore?: string;
}

function tokenOf({
  claims = {},
  issuer = ISSUER,
  audience = AUDIENCE,
  expiresIn = '5m',
  notBefore,
}: TokenOptions = {}): SignJWT {
  const token = new SignJWT({ sub: 'CORK', customer: 'CORK', ...claims })
    .setIssuer(issuer)
    .setAudience(audience);
  if (expiresIn !== null) token.setExpirationTime(expiresIn);
  if (notBefore !== undefined) token.setNotBefore(notBefore);
  return token;
}

const signed = (options: TokenOptions = {}): Promise<string> =>
  tokenOf(options).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET));

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function ask(
  { url }: Stand,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; code: unknown; headers: Headers }> {
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(method === 'POST' ? { body: '{}' } : {}),
  });
  const { code } = (await answer.json()) as { code?: unknown };
  return { status: answer.status, code, headers: answer.headers };
}

/** What the facade has told an upstream of the caller, verified with the facade's published key. */
async function identityAt(stand: Stand, given: unknown, audience: string): Promise<JWTPayload> {
  const keys = createRemoteJWKSet(new URL(`${stand.adminUrl}/.well-known/jwks.json`));
  const options = { issuer: 'fig', audience, algorithms: ['ES256'] };
  return (await jwtVerify(String(given), keys, options)).payload;
}

describe('who may come in', () => {
  it('lets in by the rules, and tells the upstream who asks', async () => {
    await withAuth({}, async (stand) => {
      const token = await signed({ claims: { scope: 'stock:write', roles: ['staff'] } });
      expect(await ask(stand, '/open/x')).toMatchObject({ status: 200 });
      expect(await ask(stand, '/anything')).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(await ask(stand, '/anything', bearer(token))).toMatchObject({ status: 200 });
      expect(await ask(stand, '/staff/x', bearer(token))).toMatchObject({ status: 200 });
      expect(await ask(stand, '/api/stock/1', bearer(token), 'POST')).toMatchObject({
        status: 200,
      });
      const plain = await signed();
      const refused = await ask(stand, '/api/stock/1', bearer(plain), 'POST');
      expect(refused).toMatchObject({ status: 403, code: 'insufficient_scope' });
      expect(refused.headers.get('www-authenticate')).toContain('scope="stock:write"');
      expect(await ask(stand, '/staff/x', bearer(plain))).toMatchObject({ status: 403 });

      const seen = stand.legacy.received.find(({ method }) => method === 'POST');
      expect(seen?.headers['x-customer-id']).toBe('CORK');
      expect(await identityAt(stand, seen?.headers['fig-identity'], 'legacy')).toMatchObject({
        sub: 'CORK',
        customer: 'CORK',
        roles: ['staff'],
        scope: 'stock:write',
      });
      const anonymous = stand.monolith.received[0]?.headers['fig-identity'];
      expect((await identityAt(stand, anonymous, 'monolith')).sub).toBeUndefined();
    });
  });

  it('refuses every token that does not count with 401, and asks no upstream', async () => {
    await withAuth({}, async (stand) => {
      const other = new TextEncoder().encode('another secret of the same length!!!!!');
      const encode = (value: object): string =>
        Buffer.from(JSON.stringify(value)).toString('base64url');
      const none = `${encode({ alg: 'none' })}.${encode({ sub: 'CORK', iss: ISSUER, aud: AUDIENCE, exp: 9e9 })}.`;
      const cases: Record<string, string> = {
        'alg none': none,
        'another secret': await tokenOf().setProtectedHeader({ alg: 'HS256' }).sign(other),
        'another algorithm': await tokenOf()
          .setProtectedHeader({ alg: 'HS512' })
          .sign(new TextEncoder().encode(SECRET.repeat(2))),
        'wrong issuer': await signed({ issuer: 'https://evil.example' }),
        'wrong audience': await signed({ audience: 'bank' }),
        'no exp': await signed({ expiresIn: null }),
        expired: await signed({ expiresIn: '-1m' }),
        'nbf ahead': await signed({ notBefore: '1m' }),
        'no subject': await signed({ claims: { sub: '' } }),
        'no JWT': 'abc',
        empty: '',
        'a lone surrogate in it': 'é.é.é',
        'very long': 'x'.repeat(10_000),
      };
      for (const [name, token] of Object.entries(cases)) {
        for (const path of ['/anything', '/open/x']) {
          const { status, headers } = await ask(stand, path, {
            authorization: `Bearer ${Buffer.from(token).toString('latin1')}`,
          });
          expect([name, path, status]).toEqual([name, path, 401]);
          expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="fig"/);
        }
      }
      expect(stand.monolith.received).toEqual([]);
    });
  });

  it('asks for what each reading of a path needs', async () => {
    await withAuth({}, async (stand) => {
      // Some servers decode this to a path that is for staff.
      for (const spelled of ['/open%2Fx', '/open/..%2Fstaff/x', '/open/a%2F..%2F..%2Fstaff%2Fx']) {
        const { status } = await ask(stand, spelled);
        expect([spelled, [400, 401].includes(status)]).toEqual([spelled, true]);
      }
      expect(stand.monolith.received).toEqual([]);
    });
  });

  it('takes an issuer clock that is a little off, and no more', async () => {
    await withAuth({ clockSkewMs: 30_000 }, async (stand) => {
      expect((await ask(stand, '/x', bearer(await signed({ expiresIn: '-10s' })))).status).toBe(
        200,
      );
      expect((await ask(stand, '/x', bearer(await signed({ expiresIn: '-40s' })))).status).toBe(
        401,
      );
    });
  });

  it('counts a token no longer than it is good, also one that it knows', async () => {
    await withAuth({ clockSkewMs: 0 }, async (stand) => {
      const token = await signed({ expiresIn: '2s' });
      expect((await ask(stand, '/x', bearer(token))).status).toBe(200);
      const deadline = Date.now() + 10_000;
      let { status } = await ask(stand, '/x', bearer(token));
      while (status === 200 && Date.now() < deadline)
        ({ status } = await ask(stand, '/x', bearer(token)));
      expect(status).toBe(401);
    });
  });
});

describe('what a client says of itself', () => {
  it('refuses a customer that the token does not have, and supplies the one that it has', async () => {
    await withAuth({}, async (stand) => {
      const token = await signed();
      const same = await ask(stand, '/x', { ...bearer(token), 'x-customer-id': 'CORK' });
      expect(same.status).toBe(200);
      const other = await ask(stand, '/x', { ...bearer(token), 'x-customer-id': 'ALFKI' });
      expect(other).toMatchObject({ status: 403, code: 'identity_contradicted' });
      const staff = await signed({ claims: { customer: undefined, roles: ['staff'] } });
      const claimed = await ask(stand, '/x', { ...bearer(staff), 'x-customer-id': 'CORK' });
      expect(claimed.status).toBe(403);
      await ask(stand, '/open/x', { 'x-customer-id': 'CORK' });
      await ask(stand, '/x', { ...bearer(token), 'x-customer-id': '' });
      const [first, anonymous, empty] = stand.monolith.received;
      expect(
        first?.rawHeaders.filter((name) => name.toLowerCase() === 'x-customer-id'),
      ).toHaveLength(1);
      expect(anonymous?.headers['x-customer-id']).toBeUndefined();
      expect(empty?.headers['x-customer-id']).toBe('CORK');
    });
  });

  it('drops an identity of the client’s in any spelling', async () => {
    await withAuth({}, async (stand) => {
      const forged = {
        'Fig-Identity': 'a',
        fig_identity: 'b',
        FIG_IDENTITY: 'c',
        'x-fig-caller': 'system',
      };
      for (const [name, value] of Object.entries(forged))
        await ask(stand, '/open/x', { [name]: value });
      for (const { rawHeaders } of stand.monolith.received) {
        const names = rawHeaders.filter((_name, index) => index % 2 === 0);
        expect(names.filter((name) => /fig.identity/i.test(name))).toEqual(['fig-identity']);
        expect(rawHeaders.join(' ')).not.toMatch(/x.fig.caller/i);
      }
    });
  });

  it('draws stickiness from the token', async () => {
    await withAuth({}, async (stand) => {
      await stand.flags({ 'stock.reads': 50 });
      await eventually(async () => {
        for (let n = 0; n < 12; n += 1) {
          const claims = { sub: `u${n}`, customer: `C${n}` };
          await ask(stand, '/api/stock/1', bearer(await signed({ claims })));
        }
        expect(stand.extracted.received.length).toBeGreaterThan(0);
      });
      const sides = new Set<boolean>();
      for (let n = 0; n < 12; n += 1) {
        const token = await signed({ claims: { sub: `u${n}`, customer: `C${n}` } });
        const before = stand.extracted.received.length;
        for (let times = 0; times < 4; times += 1) await ask(stand, '/api/stock/1', bearer(token));
        const moved = stand.extracted.received.length - before;
        expect([0, 4]).toContain(moved);
        sides.add(moved === 4);
      }
      expect(sides.size).toBe(2);
    });
  });
});

/** An issuer whose keys and health a test changes. */
interface Issuer {
  readonly url: string;
  keys: JWK[];
  answer: (res: ServerResponse) => void;
  asked: number;
  close(): void;
}

async function startIssuer(): Promise<Issuer> {
  const issuer: Omit<Issuer, 'url' | 'close'> = {
    keys: [],
    asked: 0,
    answer: (res) => json(res, 200, { keys: issuer.keys }),
  };
  const server: Server = createServer((_req, res) => {
    issuer.asked += 1;
    issuer.answer(res);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(issuer, {
    url: `http://127.0.0.1:${port}/jwks`,
    close: () => server.close(),
  });
}

interface SigningKey {
  readonly jwk: JWK;
  readonly publicKey: CryptoKey;
  sign(options?: TokenOptions): Promise<string>;
}

async function signingKey(alg: 'ES256' | 'RS256', kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' },
    publicKey,
    sign: (options = {}) => tokenOf(options).setProtectedHeader({ alg, kid }).sign(privateKey),
  };
}

async function withIssuer(use: (stand: Stand, issuer: Issuer) => Promise<void>): Promise<void> {
  const issuer = await startIssuer();
  try {
    await withAuth({ jwks: issuer.url }, (stand) => use(stand, issuer));
  } finally {
    issuer.close();
  }
}

describe('an issuer with public keys', () => {
  it('asks for its keys once, and for a new key after the cool-down', async () => {
    await withIssuer(async (stand, issuer) => {
      const [one, two] = [await signingKey('ES256', 'one'), await signingKey('RS256', 'two')];
      issuer.keys = [one.jwk];
      const statuses = await Promise.all(
        Array.from(
          { length: 20 },
          async () => (await ask(stand, '/x', bearer(await one.sign()))).status,
        ),
      );
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(issuer.asked).toBe(1);
      issuer.keys = [one.jwk, two.jwk];
      const deadline = Date.now() + 20_000;
      let status = 0;
      while (status !== 200 && Date.now() < deadline) {
        ({ status } = await ask(stand, '/x', bearer(await two.sign())));
      }
      expect(status).toBe(200);
      expect(issuer.asked).toBe(2);
    });
  });

  it('takes no public key for the secret of an HS256 signature', async () => {
    await withIssuer(async (stand, issuer) => {
      const key = await signingKey('RS256', 'one');
      issuer.keys = [key.jwk];
      const spki = new TextEncoder().encode(await exportSPKI(key.publicKey));
      const forged = await tokenOf().setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(spki);
      expect((await ask(stand, '/x', bearer(forged))).status).toBe(401);
      expect((await ask(stand, '/x', bearer(await key.sign()))).status).toBe(200);
    });
  });

  it('is asked a bounded number of times for keys that it does not have', async () => {
    await withIssuer(async (stand, issuer) => {
      const known = await signingKey('ES256', 'known');
      const unknown = await signingKey('ES256', 'unknown');
      issuer.keys = [known.jwk];
      const tries = Array.from({ length: 1_000 }, (_, n) =>
        unknown.sign({ claims: { jti: String(n) } }),
      );
      const statuses = new Set<number>();
      const startedAt = Date.now();
      for (const token of await Promise.all(tries)) {
        statuses.add((await ask(stand, '/x', bearer(token))).status);
      }
      expect(statuses).toEqual(new Set([401]));
      expect(issuer.asked).toBeLessThanOrEqual(2 + (Date.now() - startedAt) / 5_000);
    });
  });

  it.each([
    ['answers 500', (res: ServerResponse) => json(res, 500, {})],
    ['answers 10 MB', (res: ServerResponse) => res.end(Buffer.alloc(10_000_000, ' '))],
    ['answers no JSON', (res: ServerResponse) => res.end('<html>')],
    ['breaks off', (res: ServerResponse) => void res.destroy()],
  ])('that %s makes tokens unknown, and nothing fail', async (_name, answer) => {
    await withIssuer(async (stand, issuer) => {
      const key = await signingKey('ES256', 'one');
      issuer.answer = answer;
      const { status, headers } = await ask(stand, '/x', bearer(await key.sign()));
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
      expect((await ask(stand, '/open/x')).status).toBe(200);
    });
  });

  it('that goes away leaves the keys that it gave', async () => {
    await withIssuer(async (stand, issuer) => {
      const key = await signingKey('ES256', 'one');
      issuer.keys = [key.jwk];
      expect((await ask(stand, '/x', bearer(await key.sign()))).status).toBe(200);
      issuer.answer = (res) => json(res, 500, {});
      const other = await key.sign({ claims: { sub: 'ALFKI', customer: 'ALFKI' } });
      expect((await ask(stand, '/x', bearer(other))).status).toBe(200);
    });
  });
});

describe("the monolith's own session", () => {
  const session = { cookie: 'sid', path: '/session/claims' };

  /** A monolith that knows one session, and counts how often it is asked. */
  function knowSession(stand: Stand): { asked: () => number } {
    stand.monolith.answer = (req, res) => {
      if (req.url !== session.path) json(res, 200, { from: 'monolith' });
      else if (/(^|; )sid=good($|;)/.test(req.headers.cookie ?? '')) {
        json(res, 200, { sub: 'u-7', customer: 'CORK', scope: 'stock:write' });
      } else json(res, 401, { code: 'no_session' });
    };
    return {
      asked: () => stand.monolith.received.filter(({ url }) => url === session.path).length,
    };
  }

  it('becomes an identity that extracted services see, and is asked for once', async () => {
    await withAuth({ session }, async (stand) => {
      const { asked } = knowSession(stand);
      const cookie = 'theme=dark; sid=good; lang=en';
      for (let n = 0; n < 5; n += 1) {
        expect((await ask(stand, '/api/stock/1', { cookie }, 'POST')).status).toBe(200);
      }
      expect(asked()).toBe(1);
      const { headers } = stand.legacy.received[0] ?? {};
      expect(headers?.cookie).toBe(cookie);
      expect(await identityAt(stand, headers?.['fig-identity'], 'legacy')).toMatchObject({
        sub: 'u-7',
        customer: 'CORK',
      });
      expect((await ask(stand, '/x', { cookie: 'sid=gone' })).status).toBe(401);
      expect((await ask(stand, '/open/x', { cookie: 'sid=gone' })).status).toBe(200);
    });
  });

  it('that the monolith can’t tell refuses for now, and is asked for again', async () => {
    await withAuth({ session: { ...session, cacheMs: 60_000 } }, async (stand) => {
      stand.monolith.answer = (_req, res) => json(res, 500, {});
      const refused = await ask(stand, '/x', { cookie: 'sid=good' });
      expect(refused).toMatchObject({ status: 503, code: 'session_unknown' });
      expect(refused.headers.get('retry-after')).toBe('1');
      knowSession(stand);
      expect((await ask(stand, '/x', { cookie: 'sid=good' })).status).toBe(200);
    });
  });
});

describe('the configuration of authentication', () => {
  const define = (auth: Partial<Auth>, cohorts?: { header: string }) => () =>
    defineConfig({
      upstreams: { legacy: 'http://127.0.0.1:1', extracted: 'http://127.0.0.1:2' },
      monolith: 'legacy',
      capabilities: { stock: { ...STOCK, ...(cohorts && { cohorts }) } },
      gateway: { auth: { issuer: ISSUER, audience: AUDIENCE, secretFile, ...auth } },
    });

  it('refuses a rule that would open more paths than it shows', () => {
    const rules = [{ path: '/api/*/public', anyone: true as const }];
    expect(define({ rules })).toThrow('gateway.auth.rules.0.path');
  });

  it('refuses a cohort whose key no claim gives', () => {
    expect(define({}, { header: 'x-tenant' })).toThrow('name one in gateway.auth.claims');
    expect(define({ claims: { 'X-Tenant': 'tenant' } }, { header: 'x-tenant' })).not.toThrow();
    expect(define({}, { header: 'x-customer-id' })).not.toThrow();
  });

  it('wants one way to check signatures', () => {
    expect(define({ jwks: 'http://127.0.0.1:1/jwks' })).toThrow(
      'give either `secretFile` or `jwks`',
    );
  });
});

it('does not start with FIG_AUTH=on and a configuration that identifies no caller', async () => {
  await withTempDir(async (directory) => {
    const upstreams = { monolith: 'http://127.0.0.1:1' };
    const config = { upstreams, monolith: 'monolith', capabilities: {} };
    const env = { FIG_AUTH: 'on', HOST: '0.0.0.0' };
    await withSpawnedFacade({ folder: directory, config, env, unready: true }, async (facade) => {
      expect(await facade.ended).toBe(2);
      expect(facade.log()).toContain('the configuration has no gateway.auth');
    });
  });
});

it('publishes no key where callers are not known', async () => {
  await withStand({}, async ({ adminUrl }) => {
    expect(await (await fetch(`${adminUrl}/.well-known/jwks.json`)).json()).toEqual({ keys: [] });
  });
});
