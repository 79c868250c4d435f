import type { Request, RequestHandler } from 'express';
import type { Access } from '../access.ts';
import { IDENTITY_HEADER } from '../identity/index.ts';
import type { Caller, IdentityCheck } from '../identity/index.ts';
import { Problem } from '../problem.ts';

/** A role whose callers see the things of all customers. */
const STAFF = 'staff';
/** Under this name a request knows its caller. */
const CALLER = Symbol('caller');

interface KnownRequest extends Request {
  [CALLER]?: Caller;
}

/** Lets in what the facade has signed, and processes of the system itself. */
export function requireIdentity({ token }: Access, check: IdentityCheck): RequestHandler {
  return async (req: KnownRequest, _res, next) => {
    if (!token.accepts(req.get('authorization'), 'system')) {
      const given = req.get(IDENTITY_HEADER);
      if (given === undefined) throw identityRequired('there is none');
      try {
        req[CALLER] = await check.callerIn(given);
      } catch (error) {
        throw identityRequired((error as Error).message);
      }
    }
    next();
  };
}

function identityRequired(reason: string): Problem {
  return new Problem(
    401,
    'identity_required',
    `ask the facade, not this server: the identity that it signs in ${IDENTITY_HEADER} does not count: ${reason}`,
    { headers: { 'www-authenticate': 'Bearer realm="fig"' } },
  );
}

/**
 * The one customer whose things a caller may see and change. An empty text, which is no customer's
 * name, for callers who own nothing.
 * @returns undefined for callers who may see all: staff, the system, and anyone where callers are not known
 */
export function onlyCustomerOf(req: Request): string | undefined {
  const caller = (req as KnownRequest)[CALLER];
  if (caller === undefined || caller.roles.includes(STAFF)) return undefined;
  return caller.customer ?? '';
}

/** Hides routes whose rows name no customer from callers who may see only one customer's things. */
export const hideFromCustomers: RequestHandler = (req, _res, next) => {
  if (onlyCustomerOf(req) === undefined) next();
  else throw new Problem(404, 'not_found', `there is no ${req.baseUrl}${req.path}`);
};

/** Whether a thing of this customer is hidden from the caller. */
export function isHidden(req: Request, customer: string): boolean {
  const only = onlyCustomerOf(req);
  return only !== undefined && only !== customer;
}

/**
 * The owner of a request's idempotency key: the caller, or where callers are not known the customer that the
 * header names.
 */
export function keyOwnerOf(req: Request, named: string | undefined): string {
  const caller = (req as KnownRequest)[CALLER];
  if (caller === undefined) return named ?? '';
  return caller.customer ?? `subject ${caller.subject ?? ''}`;
}
