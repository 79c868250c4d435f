import { Problem } from './problem.ts';
import type { ProblemKind } from './problem.ts';

const kind = <Status extends number>(status: Status, meaning: string) => ({
  status,
  schema: Problem,
  meaning,
});

/** What is wrong with a request before anybody has looked at what it asks for. */
export const HTTP_PROBLEMS = {
  invalid_path: kind(400, 'the path is malformed, or two servers could read it in two ways'),
  headers_too_large: kind(
    431,
    'the headers are over 16 KB, or are more lines than are read: 980 by the facade, which adds ' +
      'some, and 1,000 by other servers',
  ),
  request_aborted: kind(400, 'the body ended early'),
  unsupported_encoding: kind(415, 'the body comes in a charset or an encoding nobody here reads'),
} as const satisfies Record<string, ProblemKind>;

/** What only the facade answers, which stands before every other server. */
export const FACADE_PROBLEMS = {
  malformed_request: kind(400, 'this is not well-formed HTTP/1.1'),
  duplicate_header: kind(400, 'a header that decides the way came twice'),
  invalid_host: kind(400, 'the Host header is not a host'),
  invalid_framing: kind(400, 'HTTP/1.0 knows no Transfer-Encoding'),
  unsupported_version: kind(505, 'only HTTP/1.0 and HTTP/1.1 are understood'),
  invalid_connection: kind(400, 'Connection names a header that decides the way'),
  invalid_upgrade: kind(400, 'a WebSocket upgrade must be a GET without a body'),
  rate_limited: kind(
    429,
    'the client has sent as many requests as it may for now; nothing has happened, ask again after ' +
      'Retry-After; `violated-policies` names the limit',
  ),
  request_timeout: kind(408, 'the request took too long to arrive'),
  unsupported_transfer_coding: kind(501, 'the body comes in a transfer coding other than chunked'),
  unauthenticated: kind(401, 'the route needs a token, and the request has none'),
  invalid_token: kind(
    401,
    'the token does not count: its signature, issuer, audience or times; `detail` says which',
  ),
  insufficient_scope: kind(403, 'the token lacks a scope or role that the route needs'),
  identity_contradicted: kind(403, 'a header names another customer than the token does'),
  session_unknown: kind(
    503,
    'the monolith can’t say whose session it is; nothing has happened, ask again after Retry-After',
  ),
  composition_failed: kind(502, 'a required part of the answer could not be had; `part` names it'),
  unknown_version: kind(404, 'there is no such version, or not of this path; `versions` lists all'),
  precondition_failed: kind(
    412,
    'a condition of the request can’t be compared; nothing has happened',
  ),
  translation_failed: kind(
    502,
    'request or answer could not be translated between two versions; `detail` says what has happened',
  ),
  facade_failed: kind(502, 'the facade itself failed; the outcome is unknown'),
  upstream_unavailable: kind(
    502,
    'the server behind the route could not be reached, or broke off; `detail` says whether ' +
      'anything can have happened',
  ),
  upstream_busy: kind(
    503,
    'too many requests wait for the server behind the route; nothing has happened, try again',
  ),
  upstream_ill: kind(
    503,
    'the server behind the route has failed too often and gets no requests for a while; nothing has ' +
      'happened, ask again after Retry-After',
  ),
  upstream_timeout: kind(504, 'no answer in time; the outcome is unknown'),
  held_too_long: kind(
    503,
    'the data was changing owners for too long; nothing has happened, ask again after Retry-After',
  ),
  too_many_held: kind(
    503,
    'the data is changing owners and too many writes wait for it; nothing has happened, ask ' +
      'again after Retry-After',
  ),
  too_large_to_hold: kind(
    503,
    'the data is changing owners and the body is too large to be kept meanwhile; nothing has happened, ' +
      'send it again after Retry-After',
  ),
  owner_unknown: kind(503, 'nobody can tell who owns the data; nothing has happened'),
  too_many_upgrades: kind(503, 'as many WebSockets are open as are allowed; nothing has happened'),
} as const satisfies Record<string, ProblemKind>;
