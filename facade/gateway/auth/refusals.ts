import { Problem } from '../../../chassis/index.ts';

const REALM = 'Bearer realm="fig"';

/** No token where one is needed. */
export function unauthenticated(): Problem {
  return new Problem(
    401,
    'unauthenticated',
    "this needs a token: send it as 'authorization: Bearer <token>'",
    { headers: { 'www-authenticate': REALM } },
  );
}

/** @param reason why the token does not count */
export function invalidToken(reason: string): Problem {
  const told = reason.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
  return new Problem(401, 'invalid_token', `the token does not count: ${reason}`, {
    headers: {
      'www-authenticate': `${REALM}, error="invalid_token", error_description="${told}"`,
    },
  });
}

/** A token that counts, of a caller who may not do this. */
export function insufficientScope(scopes: readonly string[], roles: readonly string[]): Problem {
  const needed = [
    ...(scopes.length > 0 ? [`the scopes ${scopes.join(' ')}`] : []),
    ...(roles.length > 0 ? [`one of the roles ${roles.join(', ')}`] : []),
  ].join(', and ');
  const scope = scopes.length > 0 ? `, scope="${scopes.join(' ')}"` : '';
  return new Problem(403, 'insufficient_scope', `this needs ${needed}`, {
    headers: { 'www-authenticate': `${REALM}, error="insufficient_scope"${scope}` },
  });
}

/** @param header that names another customer than the token does */
export function identityContradicted(header: string): Problem {
  return new Problem(
    403,
    'identity_contradicted',
    `the header ${header} names another customer than the token; leave the header out`,
  );
}
