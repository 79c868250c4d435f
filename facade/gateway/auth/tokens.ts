import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { ConfigurationError, makePrivateFile } from '../../../chassis/index.ts';
import type { Logger } from '../../../chassis/index.ts';
import type { AuthConfig } from '../../../routing/index.ts';
import type { IssuerTrouble } from '../../forward/index.ts';
import { IssuerKeys } from './issuer-keys.ts';
import { invalidToken } from './refusals.ts';

const LEAST_SECRET = 32;

/** Checks tokens: signature, algorithm, issuer, audience, and times. */
export class Tokens {
  readonly #key: Uint8Array | JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;
  readonly #log: Logger;
  readonly #issuer: IssuerKeys | undefined;

  /** @throws ConfigurationError when the secret can't be made or read, or is too short */
  constructor(settings: AuthConfig, log: Logger) {
    const { issuer, audience, clockSkewMs, secretFile, jwks, algorithms } = settings;
    this.#log = log;
    this.#issuer = jwks === undefined ? undefined : new IssuerKeys(jwks, log);
    this.#key = this.#issuer?.get ?? secretIn(secretFile ?? '');
    this.#options = {
      issuer,
      audience,
      clockTolerance: clockSkewMs / 1_000,
      // A public key taken for the secret of an HS256 signature would let anyone sign.
      algorithms: this.#issuer ? [...algorithms] : ['HS256'],
      requiredClaims: ['exp', 'sub'],
    };
  }

  /** @throws Problem 401 for a token that does not count, whatever the reason */
  async verify(token: string): Promise<JWTPayload> {
    try {
      // One overload takes a key, another a function that finds it.
      const { payload } =
        typeof this.#key === 'function'
          ? await jwtVerify(token, this.#key, this.#options)
          : await jwtVerify(token, this.#key, this.#options);
      return payload;
    } catch (error) {
      const isTokensFault =
        error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
      if (!isTokensFault) this.#log.warn({ err: error }, "the issuer's keys can't be had");
      throw invalidToken(isTokensFault ? error.message : "the issuer's keys can't be had just now");
    }
  }

  get issuerTrouble(): IssuerTrouble | undefined {
    return this.#issuer?.trouble;
  }

  close(): void {
    this.#issuer?.close();
  }
}

function secretIn(file: string): Uint8Array {
  let secret: string;
  try {
    // The first start makes one, with which `fig token` signs.
    if (!existsSync(file)) makePrivateFile(file, `${randomBytes(48).toString('base64url')}\n`);
    secret = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw unusable(file, (error as Error).message);
  }
  if (secret.length < LEAST_SECRET)
    throw unusable(file, `it is shorter than ${LEAST_SECRET} characters`);
  return new TextEncoder().encode(secret);
}

function unusable(file: string, reason: string): ConfigurationError {
  return new ConfigurationError(
    `gateway.auth.secretFile: the secret in ${file} can't be used: ${reason}; ` +
      `write at least ${LEAST_SECRET} random characters into it, readable by this user only`,
  );
}
