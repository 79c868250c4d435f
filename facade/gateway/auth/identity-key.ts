import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigurationError, makePrivateFile } from '../../../chassis/index.ts';
import type { Environment } from '../../../chassis/index.ts';

/** What an upstream is told of a caller. */
export interface IdentityClaims {
  readonly sub: string | undefined;
  readonly customer: string | undefined;
  readonly roles: readonly string[];
  readonly scope: string;
}

const ISSUER = 'fig';

/**
 * The key with which a facade signs identities. All facades of a system share it: it is made at the first
 * start, in FIG_IDENTITY_KEY_FILE or the data folder, and upstreams get its public half as a JWKS.
 */
export class IdentityKey {
  readonly #key: KeyObject;
  readonly #header: string;
  /** What the admin port publishes at `/.well-known/jwks.json`. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] };

  /**
   * Reads the key, or makes it, and writes its public half into `identity-keys.json` beside it. A folder that can only
   * be read, such as a mounted secret, stays as it is: services then read the keys of the admin port.
   * @throws ConfigurationError when a file can't be made, or holds no such key
   */
  constructor(env: Environment) {
    const file = resolve(
      env['FIG_IDENTITY_KEY_FILE'] || join(env['FIG_DATA_DIR'] || '.fig', 'identity-key.pem'),
    );
    this.#key = keyIn(file);
    const publicKey = createPublicKey(this.#key).export({ format: 'jwk' });
    const kid = thumbprint(publicKey);
    this.#header = encoded({ alg: 'ES256', typ: 'JWT', kid });
    this.jwks = { keys: [{ ...publicKey, kid, alg: 'ES256', use: 'sig' }] };
    publish(join(dirname(file), 'identity-keys.json'), JSON.stringify(this.jwks));
  }

  /**
   * A JWT that tells one upstream who the caller is. Signed at once, by node's own ES256: jose signs in a promise
   * only, and a request that needs no other server is to need no promise.
   * @param audience name of the upstream
   * @param lifeMs how long it is good for
   */
  sign(claims: IdentityClaims, audience: string, lifeMs: number): string {
    const now = Math.floor(Date.now() / 1_000);
    const exp = now + Math.ceil(lifeMs / 1_000);
    const signed = `${this.#header}.${encoded({ iss: ISSUER, aud: audience, iat: now, exp, ...claims })}`;
    const signature = sign('sha256', Buffer.from(signed), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    });
    return `${signed}.${signature.toString('base64url')}`;
  }
}

function keyIn(file: string): KeyObject {
  try {
    if (!existsSync(file)) {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      makePrivateFile(file, String(privateKey.export({ type: 'pkcs8', format: 'pem' })));
    }
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new Error('it is no P-256 key');
    return key;
  } catch (error) {
    throw new ConfigurationError(
      `the key that signs identities, ${file}, can't be used: ${(error as Error).message}; ` +
        'set FIG_IDENTITY_KEY_FILE to a file that this user can read, or delete a broken one',
      { cause: error },
    );
  }
}

const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM']);

/** Services read this file: they see the old content or the new one, never a part. */
function publish(file: string, content: string): void {
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return;
  const fresh = `${file}.${process.pid}.new`;
  try {
    writeFileSync(fresh, content);
    renameSync(fresh, file);
  } catch (error) {
    // Old keys beside a new one would have services refuse everyone.
    if (existsSync(file) || !READ_ONLY.has(String((error as NodeJS.ErrnoException).code)))
      throw error;
  }
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** RFC 7638: the members that make up the key, in the order of their names. */
function thumbprint({ crv, kty, x, y }: JsonWebKey): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
