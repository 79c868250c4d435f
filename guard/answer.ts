import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { FencedError } from './fence.ts';
import type { NamedFence } from './fence.ts';

/** An answer, for whatever sends it. */
export interface GuardAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** The members of the FENCED problem, by which the facade knows where to send the request instead. */
export function fencedMembers({
  capability,
  key,
  state,
  epoch,
}: FencedError): Readonly<Record<string, unknown>> {
  return { capability, ...(key === undefined ? {} : { key }), state, epoch };
}

/**
 * The answer to a request whose write a fence has refused: 421 with the FENCED problem (RFC 9457).
 * @param error what the write threw
 * @returns undefined for any other error
 */
export function fencedAnswer(error: unknown): GuardAnswer | undefined {
  if (error instanceof FencedError) {
    return problem(421, 'fenced', `${error.message}; ask its owner`, fencedMembers(error));
  }
  return undefined;
}

/** Where `GET /fences` finds the fences: `() => knexFences(knex)`, and so on. */
export type ReadFences = () => readonly NamedFence[] | Promise<readonly NamedFence[]>;

export interface FencesOptions {
  readonly fences: ReadFences;
  /**
   * The operators' token (what FIG_TOKEN_FILE holds), or the one for fences that is derived from it. Fences of
   * single keys name customers: without a token everybody who reaches the service may read them.
   */
  readonly token?: string | undefined;
}

/** The answer to `GET /fences`. @param authorization the request's header */
export async function fencesAnswer(
  { fences, token }: FencesOptions,
  authorization: string | undefined,
): Promise<GuardAnswer> {
  if (token !== undefined && !isToken(authorization, token)) {
    const refused = problem(
      401,
      'token_required',
      'send the token as authorization: Bearer <token>',
    );
    return { ...refused, headers: { ...refused.headers, 'www-authenticate': 'Bearer' } };
  }
  const body = { fences: await fences() };
  return { status: 200, headers: { 'content-type': 'application/json' }, body };
}

/** Facades send the token for fences, which can't be turned back into the operators'. */
function isToken(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const forFences = createHmac('sha256', token).update('fences').digest('base64url');
  return given !== undefined && [token, forFences].some((wanted) => isSame(given, wanted));
}

function isSame(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

function problem(status: number, code: string, detail: string, members: object = {}): GuardAnswer {
  const title = code.replaceAll('_', ' ');
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { type: `urn:fig:problem:${code}`, title, status, code, detail, ...members },
  };
}
