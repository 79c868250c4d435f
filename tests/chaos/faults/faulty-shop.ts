import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createOperator } from '../../../rehearsal/index.ts';
import type { Operator } from '../../../rehearsal/index.ts';
import { figProcesses, projectRoot, readSystemFile, withoutSystem } from '../../../system/index.ts';
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
  /** In front of the second processes of the services, where there are any. */
  readonly second: Readonly<Record<'inventory' | 'payment', FaultProxy>>;
  /** A token of the issuer; of staff, and of a customer where one is named. */
  token(options?: TokenOptions): Promise<string>;
}

const HOUR_MS = 3_600_000;

interface TokenOptions {
  readonly customer?: string;
  /** When it expires, by the issuer, in ms since 1970; in an hour when absent. */
  readonly expiresAt?: number;
  /** Whether the issuer publishes the key that signs it. */
  readonly isKnown?: boolean;
}

interface FaultyShopOptions {
  readonly signal?: AbortSignal;
  readonly onStart?: ((system: System) => void) | undefined;
  /** Whether each service is two processes. */
  readonly twoInstances?: boolean;
  /** Whether servers are given much time, and open breakers as well. */
  readonly patient?: boolean;
}

/** Both processes of a service use one database. */
const TWO_INSTANCES: readonly ProcessDefinition[] = figProcesses.flatMap((definition) => {
  const { name, urlVariable } = definition;
  if (name !== 'inventory' && name !== 'payment') return [definition];
  return [{ ...definition, name: `${name}2`, urlVariable: `SECOND_${urlVariable}` }, definition];
});

/** As the build has made it, also where this runs from its source. */
const CONFIG = join(projectRoot, 'dist', 'tests', 'chaos', 'faults', 'fig.config.js');

/** Gives `use` a shop of real processes with authentication on, and takes it down. */
export function withFaultyShop<T>(
  { signal, onStart, twoInstances = false, patient = false }: FaultyShopOptions,
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
        const second = {
          inventory: await FaultProxy.open(of('SECOND_INVENTORY_URL')),
          payment: await FaultProxy.open(of('SECOND_PAYMENT_URL')),
        };
        const behind = Object.assign(new URL(redis.url), { port: String(proxies.Redis.port) });
        // The command line reads the same configuration.
        const configured = {
          FIG_CONFIG: CONFIG,
          BEHIND_MONOLITH: urlOf(proxies.monolith),
          BEHIND_INVENTORY: urlOf(proxies.inventory),
          BEHIND_PAYMENT: urlOf(proxies.payment),
          ...(twoInstances
            ? {
                BEHIND_SECOND_INVENTORY: urlOf(second.inventory),
                BEHIND_SECOND_PAYMENT: urlOf(second.payment),
              }
            : {}),
        };
        const variables = {
          ...configured,
          REDIS_URL: behind.href,
          FIG_AUTH: 'on',
          FIG_AUTH_JWKS: `${urlOf(proxies.JWKS)}/jwks`,
          ...(patient ? { FAULTS_PATIENT: 'on' } : {}),
        };
        const options = {
          dataDir,
          variables,
          ...(signal ? { signal } : {}),
          ...(twoInstances ? { processes: TWO_INSTANCES } : {}),
        };
        try {
          return await withSystem(options, (system) => {
            onStart?.(system);
            const env = { ...withoutSystem(process.env), ...system.env, ...configured };
            return use({ system, fig: createOperator(env), proxies, second, token: issuer.token });
          });
        } finally {
          const all = [...Object.values(proxies), ...Object.values(second)];
          await Promise.all(all.map((proxy) => proxy.close()));
        }
      }),
    ),
  );
}

function urlOf({ port }: FaultProxy): string {
  return `http://127.0.0.1:${port}`;
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
      token: ({ customer, expiresAt = Date.now() + HOUR_MS, isKnown = true } = {}) =>
        new SignJWT({ roles: ['staff'], scope: 'orders:write payments:write', customer })
          .setProtectedHeader({ alg: 'ES256', kid: isKnown ? 'known' : 'unknown' })
          .setIssuer('https://shop.example')
          .setAudience('shop')
          .setSubject(customer ?? 'staff')
          .setExpirationTime(new Date(expiresAt))
          .sign((isKnown ? known : unknown).privateKey),
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
