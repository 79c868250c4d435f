import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { ConfigurationError, isAuthOn } from '../env.ts';
import type { Environment } from '../env.ts';
import { Remembered } from '../remembered.ts';

/** The caller of a request, as the facade has identified it. */
export interface Caller {
  /** Undefined where the facade lets anyone in. */
  readonly subject: string | undefined;
  /** The customer whose things are the caller's own. */
  readonly customer: string | undefined;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
}

/** Reads what the facade says of a caller in the header `fig-identity`. */
export interface IdentityCheck {
  /** @throws Error when the facade has not signed it, or has signed it for another service, or long ago */
  callerIn(token: string): Promise<Caller>;
}

export const IDENTITY_HEADER = 'fig-identity';
const ISSUER = 'fig';
/** Clocks of two machines. */
const TOLERANCE_S = 5;
const REMEMBERED = 1_000;
/** A token is good for longer; after that its key may have been replaced. */
const REMEMBERED_MS = 15_000;

/**
 * Makes the check of a service whose callers the facade knows, by FIG_AUTH=on.
 * @param audience the service's name among the configuration's upstreams
 * @returns undefined where callers are not known
 * @throws ConfigurationError for another value of FIG_AUTH
 */
export function openIdentityCheck(env: Environment, audience: string): IdentityCheck | undefined {
  if (!isAuthOn(env)) return undefined;
  const keys = keysFrom(env);
  const known = new Remembered<Caller>(REMEMBERED);
  return {
    async callerIn(token) {
      const remembered = known.get(token);
      if (remembered) return remembered;
      const { jwtVerify } = await import('jose');
      const { payload } = await jwtVerify(token, await keys(), {
        issuer: ISSUER,
        audience,
        algorithms: ['ES256'],
        requiredClaims: ['exp'],
        clockTolerance: TOLERANCE_S,
      });
      const caller: Caller = {
        subject: payload.sub,
        customer: textOf(payload['customer']),
        roles: Array.isArray(payload['roles']) ? payload['roles'].map(String) : [],
        scopes: (textOf(payload['scope']) ?? '').split(' ').filter((scope) => scope !== ''),
      };
      const expiresAt = (payload.exp ?? 0) * 1_000;
      known.set(token, caller, Math.min(Date.now() + REMEMBERED_MS, expiresAt));
      return caller;
    },
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The facade's public keys: FIG_IDENTITY_JWKS, a file or the URL of its admin port. */
function keysFrom(env: Environment): () => Promise<JWTVerifyGetKey> {
  const from = env['FIG_IDENTITY_JWKS'];
  if (from === undefined || from === '' || !/^https?:/.test(from)) {
    return keysInFile(resolve(from || join(env['FIG_DATA_DIR'] || '.fig', 'identity-keys.json')));
  }
  if (!URL.canParse(from)) {
    throw new ConfigurationError(
      `FIG_IDENTITY_JWKS=${from} is neither a file nor a URL; ` +
        'give one such as http://127.0.0.1:8081/.well-known/jwks.json',
    );
  }
  let keys: JWTVerifyGetKey | undefined;
  return async () => {
    const { createRemoteJWKSet } = await import('jose');
    return (keys ??= createRemoteJWKSet(new URL(from), { cooldownDuration: 1_000 }));
  };
}

/** The file is read again when it has changed: a facade that starts for the first time makes it. */
function keysInFile(file: string): () => Promise<JWTVerifyGetKey> {
  let keys: JWTVerifyGetKey | undefined;
  let readAt = -1;
  return async () => {
    const { createLocalJWKSet } = await import('jose');
    const { mtimeMs } = await stat(file);
    if (keys === undefined || mtimeMs !== readAt) {
      keys = createLocalJWKSet(JSON.parse(await readFile(file, 'utf8')) as JSONWebKeySet);
      readAt = mtimeMs;
    }
    return keys;
  };
}
