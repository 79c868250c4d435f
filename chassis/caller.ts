import type { Request } from 'express';
import { v5 } from 'uuid';
import { tokenRequired } from './access.ts';
import type { Access } from './access.ts';
import { sha256 } from './hash.ts';
import { keyOwnerOf } from './web/callers.ts';

/** Set by processes of the system, and dropped by the facade like all that begins with `x-fig-`. */
const CALLER = 'x-fig-caller';
const SYSTEM = 'system';
const CUSTOMER = 'x-customer-id';
/** Keys of the system itself, which go on with what a crash has left; no client's key looks so. */
const OF_SYSTEM = /^order:/;
const OF_CLIENT = /^client:[0-9a-f]{32}:/;

/** The setting of an app that says which requests it answers. */
export const ACCESS = 'access';

/** Says of a call that its key is the system's; the called process wants the token for that. */
export const AS_SYSTEM: Readonly<Record<string, string>> = { [CALLER]: SYSTEM };

/** A key as it is stored, and how it may be stored by an earlier build. */
export interface ScopedKey {
  readonly key: string;
  readonly formerKey?: string;
}

/**
 * Where a key of a request is stored: a client's belongs to the customer that the request names, so
 * that the same key of another customer is another key, and none of them is a key of the system's.
 * @throws Problem 401 when a request claims to be the system's and has no token for it
 */
export function scopedKey(req: Request, key: string): ScopedKey {
  if (req.get(CALLER) === SYSTEM) {
    const { token } = req.app.get(ACCESS) as Access;
    if (token.accepts(req.get('authorization'), SYSTEM)) return { key };
    throw tokenRequired();
  }
  const scoped = {
    key: `client:${sha256(keyOwnerOf(req, req.get(CUSTOMER))).slice(0, 32)}:${key}`,
  };
  return OF_SYSTEM.test(key) || OF_CLIENT.test(key) ? scoped : { ...scoped, formerKey: key };
}

/** Made up once; ids that were derived with it are stored. */
const IDS = '6f1d3f3c-3c0e-4f57-9a0b-6a1f0f4f7a1e';

/**
 * The id of what a request makes: the same each time that it is asked for, long after its key was deleted, so that
 * the primary key of either side keeps it from being made twice. A key of the system says all that its step is; a
 * client may use a key a day later for another request, which then makes another thing.
 */
export function idOfEffect({ key, hash }: { readonly key: string; readonly hash: string }): string {
  return v5(OF_SYSTEM.test(key) ? key : `${key}\n${hash}`, IDS);
}

/** A stored key as its client gave it. */
export function givenKey(key: string): string {
  return key.replace(OF_CLIENT, '');
}
