import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import type { RequestHandler } from 'express';
import { isLoopback } from './env.ts';
import type { Environment } from './env.ts';
import { hostOf, nameOf } from './host-names.ts';
import { openIdentityCheck } from './identity/index.ts';
import type { IdentityCheck } from './identity/index.ts';
import { makeTokenFile, NO_TOKEN, tokenFile, tokenIn } from './operator-token.ts';
import type { OperatorToken } from './operator-token.ts';
import { Problem } from './problem.ts';

/** Which requests a process answers. */
export interface Access {
  /** Names under which it is reached, besides those of loopback and the address it listens on. */
  readonly hosts: readonly string[];
  readonly token: OperatorToken;
  /** How a service knows its callers; absent where callers are not known. */
  readonly identity?: IdentityCheck | undefined;
}

interface AccessOptions {
  /** Under which the process tells others that it is reached. */
  readonly urls?: readonly string[];
  /** Its name among the configuration's upstreams, for a service that the facade asks. */
  readonly upstream?: string;
}

/** For programs that serve only themselves, such as a test. */
export const LOOPBACK_ONLY: Access = { hosts: [], token: NO_TOKEN };

/**
 * Reads FIG_HOSTS, and makes the operators' token where there is none yet.
 * @throws ConfigurationError when the token's file can't be used, or FIG_AUTH is neither on nor off
 */
export function openAccess(env: Environment, { urls = [], upstream }: AccessOptions = {}): Access {
  const file = tokenFile(env);
  makeTokenFile(file);
  const told = urls.filter((url) => URL.canParse(url)).map((url) => nameOf(new URL(url)));
  const named = `${env['FIG_HOSTS'] ?? ''},${env['HOST'] ?? ''}`
    .split(',')
    .concat(hostname(), told);
  const hosts = named.map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
  const identity = upstream === undefined ? undefined : openIdentityCheck(env, upstream);
  return { hosts, token: tokenIn(file), identity };
}

/**
 * Refuses what only a web page of another origin sends: a name that is not ours in Host (DNS
 * rebinding), a foreign Origin, and a body that a form or a script may send without asking first.
 * The facade says in X-Forwarded-Host which host its client asked for, so both are looked at.
 */
export function refuseForeignPages({ hosts }: Access): RequestHandler {
  return (req, _res, next) => {
    const { host: own = '' } = req.headers;
    if (!isOurs(own, hosts, req)) throw foreignHost(own);
    const forwarded = namesIn(req.headers['x-forwarded-host']);
    for (const host of forwarded) {
      if (!isAddress(host) && !isOurs(host, hosts, req)) throw foreignHost(host);
    }
    const asked = [own, ...forwarded];
    const { origin } = req.headers;
    if (origin !== undefined && !asked.some((host) => isOriginOf(host, origin))) {
      throw new Problem(
        403,
        'foreign_origin',
        `a page of ${JSON.stringify(origin)} may not send requests here`,
      );
    }
    if (hasBody(req) && mediaType(req) !== 'application/json') {
      throw new Problem(
        415,
        'unsupported_media_type',
        'a body must be application/json, and its content-type must say so',
      );
    }
    next();
  };
}

function namesIn(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function isOurs(host: string, hosts: readonly string[], { socket }: IncomingMessage): boolean {
  const url = hostOf(host);
  if (url === undefined) return false;
  const name = nameOf(url);
  const address = socket.localAddress?.replace(/^::ffff:/, '');
  // Browsers look names below localhost up as this machine, and ask no name server.
  const isHere = isLoopback(name) || name.endsWith('.localhost') || name === address;
  return isHere || hosts.includes(name);
}

/** The facade may be reached by any address of its machine; only a name can be made to mean another. */
function isAddress(host: string): boolean {
  const url = hostOf(host);
  return url !== undefined && isIP(nameOf(url)) !== 0;
}

/** Port and name, since each port of a machine is an origin of its own; `null` is no origin. */
function isOriginOf(host: string, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const here = `${protocol}//${host}`;
  return from !== '' && URL.canParse(here) && new URL(here).host === from;
}

function foreignHost(host: string): Problem {
  const detail =
    `the host ${JSON.stringify(host)} is not one of this process; ` +
    'add its name to FIG_HOSTS where it is reached under it';
  return new Problem(403, 'foreign_host', detail);
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return (
    headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
  );
}

function mediaType({ headers }: IncomingMessage): string | undefined {
  return headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
}

/** Routes that a monitor asks without a token. */
const FOR_MONITORS = new Set(['/livez', '/readyz', '/metrics']);

/**
 * Asks for the operators' token, but for monitors' routes.
 * @param isSession whether a request without the token comes from a browser that was let in
 */
export function requireToken(
  { token }: Access,
  isSession: (req: IncomingMessage) => boolean = () => false,
): RequestHandler {
  return (req, _res, next) => {
    if (FOR_MONITORS.has(req.path) || token.accepts(req.headers.authorization) || isSession(req)) {
      next();
      return;
    }
    throw tokenRequired();
  };
}

/** The refusal of a request without the operators' token. */
export function tokenRequired(): Problem {
  const detail =
    "this is for operators: send the token in FIG_TOKEN_FILE (.fig/token of npm start) as 'authorization: Bearer <token>', " +
    'or open a browser with fig open';
  return new Problem(401, 'token_required', detail, { headers: { 'www-authenticate': 'Bearer' } });
}
