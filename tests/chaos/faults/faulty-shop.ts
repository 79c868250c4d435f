import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createOperator } from '../../../rehearsal/index.ts';
import type { Operator } from '../../../rehearsal/index.ts';
import { projectRoot, readSystemFile, withoutSystem } from '../../../system/index.ts';
import type { ProcessDefinition, System } from '../../../system/index.ts';
import { withRedis, withSystem, withTempDir } from '../../support/index.ts';
import { FaultProxy } from './fault-proxy.ts';

/** What stands behind a proxy. */
export const TARGETS = ['monolith', 'inventory', 'payment', 'Redis', 'JWKS'] as const;
export type Target = (typeof TARGETS)[number];
export type Proxies = Readonly<Record<Target, FaultProxy>>;

/** A running shop whose servers, Redis and issuer of tokens are all behind proxies. */
export interface FaultyShop {
  readonly system: System;
  readonly fig: Operator;
  readonly proxies: Proxies;
  /** A token of the issuer; of staff, and of a customer where one is named. */
  token(options?: TokenOptions): Promise<string>;
}

interface TokenOptions {
  readonly customer?: string;
  /** In seconds. */
  readonly ttl?: number;
  /** Whether the issuer publishes the key that signs it. */
  readonly isKnown?: boolean;
}

interface FaultyShopOptions {
  readonly signal?: AbortSignal;
  readonly onStart?: ((system: System) => void) | undefined;
  readonly processes?: readonly ProcessDefinition[];
  /** On top of what the shop needs. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** As the build has made it, also where this runs from its source. */
const CONFIG = join(projectRoot, 'dist', 'tests', 'chaos', 'faults', 'fig.config.js');

/** Gives `use` a shop of real processes with authentication on, and takes it down. */
export function withFaultyShop<T>(
  { signal, onStart, processes, variables }: FaultyShopOptions,
  use: (shop: FaultyShop) => Promise<T>,
): Promise<T> {
  return withTempDir((folder) =>
    withRedis((redis) =>
      withIssuer(async (issuer) => {
        const dataDir = join(folder, 'data');
        const of = (variable: string) => (): URL | undefined => {
          const url = readSystemFile(dataDir)?.env[variable];
          return url === undefined ? undefined : new URL(url);
        };
        const proxies: Proxies = {
          monolith: await FaultProxy.open(of('MONOLITH_URL')),
          inventory: await FaultProxy.open(of('INVENTORY_URL')),
          payment: await FaultProxy.open(of('PAYMENT_URL')),
          Redis: await FaultProxy.open(() => new URL(redis.url)),
          JWKS: await FaultProxy.open(() => issuer.url),
        };
        const at = (target: Target): string => `http://127.0.0.1:${proxies[target].port}`;
        const behind = Object.assign(new URL(redis.url), { port: String(proxies.Redis.port) });
        try {
          return await withSystem(
            {
              dataDir,
              ...(signal ? { signal } : {}),
              ...(processes ? { processes } : {}),
              variables: {
                FIG_CONFIG: CONFIG,
                BEHIND_MONOLITH: at('monolith'),
                BEHIND_INVENTORY: at('inventory'),
                BEHIND_PAYMENT: at('payment'),
                REDIS_URL: behind.href,
                FIG_AUTH: 'on',
                FIG_AUTH_JWKS: `${at('JWKS')}/jwks`,
                ...variables,
              },
            },
            (system) => {
              onStart?.(system);
              const env = { ...withoutSystem(process.env), ...system.env, ...behindOf(proxies) };
              return use({ system, fig: createOperator(env), proxies, token: issuer.token });
            },
          );
        } finally {
          await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
        }
      }),
    ),
  );
}

/** The command line reads the same configuration. */
function behindOf(proxies: Proxies): Record<string, string> {
  return Object.fromEntries(
    (['monolith', 'inventory', 'payment'] as const).map((name) => [
      `BEHIND_${name.toUpperCase()}`,
      `http://127.0.0.1:${proxies[name].port}`,
    ]),
  );
}

interface Issuer {
  readonly url: URL;
  token(options?: TokenOptions): Promise<string>;
}

async function withIssuer<T>(use: (issuer: Issuer) => Promise<T>): Promise<T> {
  const [known, unknown] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const keys = [{ ...(await exportJWK(known.publicKey)), kid: 'known', alg: 'ES256', use: 'sig' }];
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use({
      url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      token: ({ customer, ttl = 3_600, isKnown = true } = {}) =>
        new SignJWT({ roles: ['staff'], scope: 'orders:write payments:write', customer })
          .setProtectedHeader({ alg: 'ES256', kid: isKnown ? 'known' : 'unknown' })
          .setIssuer('https://shop.example')
          .setAudience('shop')
          .setSubject(customer ?? 'staff')
          .setExpirationTime(`${ttl} s`)
          .sign((isKnown ? known : unknown).privateKey),
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
