import { z } from 'zod';
import { method, path } from '../path-pattern.ts';

const claim = z.string().min(1);

/** The callers that may use the paths of one pattern. */
const rule = z
  .strictObject({
    path,
    /** All when left out; HEAD goes with GET. */
    methods: z.array(method).min(1).optional(),
    /** No token is needed. */
    anyone: z.literal(true).optional(),
    /** The token must have all of these. */
    scopes: z.array(z.string().min(1)).default([]),
    /** And one of these, where any are named. */
    roles: z.array(z.string().min(1)).default([]),
  })
  .refine(
    ({ anyone, scopes, roles }) => !anyone || (scopes.length === 0 && roles.length === 0),
    'give either `anyone`, or the scopes and roles that a caller needs',
  );

/** How the caller of a request is known, and what each caller may do. */
export const auth = z
  .strictObject({
    /** What a token's `iss` and `aud` must say. */
    issuer: z.string().min(1),
    audience: z.string().min(1),
    /**
     * A file with the secret of HS256 signatures, at least 32 characters; made where there is none. Give
     * this, or `jwks`.
     */
    secretFile: z.string().min(1).optional(),
    /** Where the issuer publishes its public keys. */
    jwks: z
      .url({ protocol: /^https?$/, error: 'give a URL such as "https://id.example/jwks"' })
      .optional(),
    /** Signature algorithms that count; never `none`, and for keys of `jwks` never HS256. */
    algorithms: z
      .array(z.enum(['ES256', 'ES384', 'RS256', 'RS512', 'PS256', 'EdDSA']))
      .min(1)
      .default(['ES256', 'RS256', 'PS256', 'EdDSA']),
    /** How far the issuer's clock may be off, in ms. */
    clockSkewMs: z.int().min(0).max(300_000).default(5_000),
    /** The claims that say which customer the caller is, and which roles the caller has. */
    customerClaim: claim.default('customer'),
    rolesClaim: claim.default('roles'),
    /** For each cohort's header other than the sticky one: the claim that gives its value. */
    claims: z.record(z.string().toLowerCase(), claim).default({}),
    /** The monolith's own sessions: browsers keep their cookie, and upstreams get a signed identity. */
    session: z
      .strictObject({
        /** The cookie of a session. */
        cookie: z.string().regex(/^[\w!#$%&'*.^`|~+-]+$/, 'give the name of a cookie'),
        /**
         * Where the monolith answers GET with `{ sub, customer, roles, scope }` for a request with that
         * cookie, and 401 without a session.
         */
        path: z.string().regex(/^\//, 'give a path of the monolith such as "/session/claims"'),
        /** How long an answer is used again, in ms: a session that ended may be used for as long. */
        cacheMs: z.int().min(0).max(60_000).default(5_000),
      })
      .optional(),
    /** The first that fits a request counts; a request that none fits needs a token, and nothing more. */
    rules: z.array(rule).default([]),
  })
  .refine(
    ({ secretFile, jwks }) => (secretFile === undefined) !== (jwks === undefined),
    'give either `secretFile` or `jwks`',
  );

export type AuthConfig = z.output<typeof auth>;
export type AuthRule = z.output<typeof rule>;
