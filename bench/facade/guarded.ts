import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { compared, startNode } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import type { Contestant, Field } from './contestants.ts';
import { interleaved } from './lanes.ts';
import { startOurFacade } from './our-facade.ts';
import type { Stage } from './stage.ts';

const ISSUER = 'https://id.example';
const AUDIENCE = 'bench';
const CALLERS = 1_000;
/** A limit that counts every request and refuses none. */
const MANY = 1_000_000_000;

/** An issuer: its keys, at a URL, and a token for each of many callers. */
interface Issuer {
  readonly jwks: string;
  readonly publicKey: string;
  readonly tokens: readonly string[];
  close(): void;
}

async function startIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'ES256', use: 'sig' }];
  const tokenOf = (customer: string): Promise<string> =>
    new SignJWT({ sub: customer, customer })
      .setProtectedHeader({ alg: 'ES256', kid: 'bench' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime('1h')
      .sign(privateKey);
  // As the load names its callers.
  const tokens = await Promise.all(
    Array.from({ length: CALLERS }, (_, index) => tokenOf(`C${index + 1}`)),
  );
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    jwks: `http://127.0.0.1:${port}/jwks`,
    publicKey: await exportSPKI(publicKey),
    tokens,
    close: () => void server.close(),
  };
}

/**
 * Reads with a token each, by a facade that checks it, signs the caller's identity, counts for a limit and has a breaker
 * and a retry budget, beside the same facade without any of that, and beside rivals.
 */
export async function measureGuarded(field: Field, stage: Stage): Promise<readonly Result[]> {
  const issuer = await startIssuer();
  const { url: upstreamUrl } = stage.upstreams.service;
  const { proxyCores: cores } = stage;
  const started: { stop(): Promise<void> }[] = [];
  try {
    const guarded = await startOurFacade({
      folder: join(stage.folder, 'guarded'),
      legacyUrl: upstreamUrl,
      extractedUrl: upstreamUrl,
      cores,
      gateway: {
        auth: { issuer: ISSUER, audience: AUDIENCE, jwks: issuer.jwks, rules: [] },
        limits: [{ name: 'all', path: '/*', requests: MANY, seconds: 60 }],
        resilience: { breaker: {}, retry: {} },
      },
    });
    started.push(guarded);
    await guarded.flags({ 'items.reads': 50 });
    const rivals: Contestant[] = field.all.filter(({ name }) => name === 'httpxy');
    if (stage.rivals) {
      const program = fileURLToPath(new URL('rivals/fastify-guarded.js', import.meta.url));
      const { publicKey: PUBLIC_KEY } = issuer;
      const env = { UPSTREAM_URL: upstreamUrl, PUBLIC_KEY, ISSUER, AUDIENCE };
      const child = await startNode(program, { cores, env });
      started.push(child);
      const url = `http://127.0.0.1:${child.ports['http']}`;
      rivals.push({ ...child, name: 'fastify with jwt, rate-limit and http-proxy', url });
    }
    const lanes = [
      { name: 'guarded', url: guarded.url },
      { name: 'ours, all off', url: field.ours.url },
      ...rivals,
    ];
    const load = { ...stage.reads, callerTokens: issuer.tokens };
    const rounds = await interleaved(lanes, load, stage);
    const goals: Readonly<Record<string, number>> = {
      'ours, all off': 0.7,
      httpxy: 1.3,
      'fastify with jwt, rate-limit and http-proxy': 1.5,
    };
    const throughput = lanes.slice(1).map(({ name: rival }) =>
      compared({
        name: `GET 1 KB with token, limit and breaker, against ${rival}`,
        unit: 'requests/s',
        rival,
        ...rounds.beside('guarded', rival, ({ perSecond }) => perSecond),
        goal: { atLeast: goals[rival] ?? 1 },
      }),
    );
    const p99 = compared({
      name: 'GET 1 KB with token, limit and breaker, p99',
      unit: 'ms',
      rival: 'ours, all off',
      ...rounds.beside('guarded', 'ours, all off', ({ p99Ms }) => p99Ms),
      goal: { atMost: 1.3 },
    });
    return [...throughput, p99];
  } finally {
    await Promise.all(started.map((each) => each.stop()));
    issuer.close();
  }
}
