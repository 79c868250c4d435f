import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { beginSpan, parentIn, Problem, traceparentOf } from '../../chassis/index.ts';
import type { SpanStart, Trace } from '../../chassis/index.ts';
import { NO_FORWARDING, forwarding } from './forwarding.ts';
import { canonicalTarget } from './path.ts';

/** What a request says of whom it is about. */
export interface Asker {
  readonly customer: string | undefined;
  /** By header, where a capability's keys are named by another one than the customer's. */
  readonly keys?: Readonly<Record<string, string>> | undefined;
}

/** A request in its one canonical form: what is decided on is what is sent on. */
export interface RequestForm extends Asker {
  readonly method: string;
  readonly path: string;
  /** Another number for each request: shares of requests without a customer go by it. */
  readonly draw: string;
  /** Path and query, as upstreams get it. */
  readonly target: string;
  /** The version of the interface that the client's path names; upstreams get the path without it. */
  readonly version?: string;
  /** Names and values in turn, without framing headers, fit to be sent on. */
  readonly headers: string[];
  readonly idempotencyKey: string | undefined;
  /** Its span here; upstreams continue the trace from it. */
  readonly trace: Trace;
  /** Addresses that it came by, the client's first. */
  readonly chain: string;
  /** Whether the caller may be told where the time went. */
  readonly timed: boolean;
  /** Bytes of body that are announced; null where only its end will tell, 0 where there is none. */
  readonly bodyBytes: number | null;
}

/** Reads which version of the interface a path names. */
export interface CanonicalVersions {
  /** @throws Problem 404 or 400 for a version that there is not */
  canonical<Form extends Pick<RequestForm, 'method' | 'path' | 'target' | 'version'>>(
    form: Form,
  ): Form;
}

type Treatment =
  | 'keep'
  | 'drop'
  | 'host'
  | 'connection'
  | 'content-length'
  | 'transfer-encoding'
  | 'traceparent'
  | 'via'
  | 'customer'
  | 'key'
  | 'token'
  | 'x-forwarded-for'
  | 'x-forwarded-proto'
  | 'x-forwarded-host'
  | 'idempotency-key';

/** Hop-by-hop (RFC 9110 7.6.1), `expect` (answered here), and what the facade says itself. */
const DROPPED = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
  'http2-settings',
  'expect',
  'forwarded',
  'x-real-ip',
  'fig-identity',
]);
const DROPPED_PREFIXES = ['x-fig-', 'x-user-', 'x-forwarded-'];
const SPECIAL = new Set<string>([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'traceparent',
  'via',
  'idempotency-key',
]);
const FORWARDED = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'] as const;
const TOKEN = 'x-fig-token';
/** Where in `RequestForm.headers` the time is that an upstream has; the name is before it. */
export const TIMEOUT_AT = 1;
/** Many servers read no more lines, and drop the rest without a word. */
const LINES_READ = 1_000;
/** What the facade may say itself, down to the framing of the body: more than it ever does. */
const OWN_LINES = 20;
const MOST_LINES = LINES_READ - OWN_LINES;
const KNOWN_NAMES_LIMIT = 2_000;
/** Shares of requests are exact to one in so many. */
const DRAWS = 10_000;
const SPAN: SpanStart = { name: 'request', kind: 'server' };
const HOST = /^[\w.~!$&'()*+,;=%[\]:-]*$/;
const ALLOWED = 'GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a method only reads (RFC 9110 9.2.1). */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** @throws Problem 405 for methods that make servers tell, or do, what is none of a client's affair */
export function allowedMethod(method: string): string {
  if (method !== 'TRACE' && method !== 'CONNECT') return method;
  throw new Problem(405, 'method_not_allowed', `${method} is not allowed`, {
    headers: { allow: ALLOWED },
  });
}

interface ReaderOptions {
  /** Lower-case name of the header that names the customer. */
  readonly stickyHeader: string;
  /** Likewise of other headers that name whom a request is about. */
  readonly keyHeaders: readonly string[];
  /** How many proxies in front of us say the truth about whom they serve. */
  readonly trustedHops: number;
  /** Whoever sends it is told where the time went. */
  readonly timingToken: string | undefined;
  /** Lower-case names of headers that are not passed on. */
  readonly droppedHeaders: readonly string[];
  /** What upstreams are told that they have. */
  readonly timeoutMs: number;
}

/** Reads requests into their canonical form. */
export class RequestReader {
  readonly #stickyHeader: string;
  readonly #keyHeaders: readonly string[];
  readonly #trustedHops: number;
  readonly #timingToken: Buffer | undefined;
  readonly #timeoutMs: string;
  readonly #droppedHeaders: ReadonlySet<string>;
  readonly #treatments = new Map<string, Treatment>();
  #draws = 0;

  constructor(options: ReaderOptions) {
    const { stickyHeader, keyHeaders, trustedHops, timingToken, timeoutMs } = options;
    this.#droppedHeaders = new Set(options.droppedHeaders);
    this.#stickyHeader = stickyHeader;
    this.#keyHeaders = keyHeaders;
    this.#trustedHops = trustedHops;
    this.#timingToken = timingToken === undefined ? undefined : Buffer.from(timingToken);
    this.#timeoutMs = String(timeoutMs);
  }

  /**
   * @throws Problem 400 or 405 or 501 for a request that two servers could read in two ways
   */
  read(req: IncomingMessage): RequestForm {
    const method = allowedMethod(req.method ?? '');
    if (req.httpVersionMajor !== 1) {
      throw new Problem(505, 'unsupported_version', 'only HTTP/1.0 and HTTP/1.1 are understood');
    }
    const raw = req.rawHeaders;
    if (raw.length > 2 * MOST_LINES) {
      throw new Problem(431, 'headers_too_large', `the headers are over ${MOST_LINES} lines`);
    }
    const { path, query } = canonicalTarget(req.url ?? '');
    const headers: string[] = ['x-fig-timeout-ms', this.#timeoutMs];
    let host: string | undefined;
    let customer: string | undefined;
    let keys: Record<string, string> | undefined;
    let idempotencyKey: string | undefined;
    let traceparent: string | undefined;
    let via = '';
    let timed = false;
    let claims = NO_FORWARDING;
    let named: string[] | undefined;
    let bodyBytes: number | null = 0;
    for (let index = 0; index < raw.length; index += 2) {
      const name = raw[index] as string;
      const value = raw[index + 1] as string;
      switch (this.#treatments.get(name) ?? this.#treatmentOf(name)) {
        case 'keep':
          headers.push(name, value);
          break;
        case 'customer':
          if (customer !== undefined) throw twice(name);
          customer = value;
          headers.push(name, value);
          break;
        case 'key':
          keys = withKey(keys, name, value);
          headers.push(name, value);
          break;
        case 'idempotency-key':
          if (idempotencyKey !== undefined) throw twice(name);
          idempotencyKey = value;
          // An empty one is none; a write is given another.
          if (value !== '') headers.push(name, value);
          break;
        case 'host':
          if (host !== undefined) throw twice(name);
          host = value;
          break;
        case 'connection':
          if (value !== 'keep-alive') named = [...(named ?? []), ...tokens(value)];
          break;
        case 'content-length':
          bodyBytes = Number(value);
          break;
        case 'transfer-encoding':
          if (req.httpVersionMinor === 0) {
            throw new Problem(400, 'invalid_framing', 'HTTP/1.0 knows no Transfer-Encoding');
          }
          if (value.toLowerCase() !== 'chunked') {
            throw new Problem(
              501,
              'unsupported_transfer_coding',
              'only the chunked coding is understood',
            );
          }
          bodyBytes = null;
          break;
        case 'traceparent':
          traceparent = value;
          break;
        case 'via':
          via += `${value}, `;
          break;
        case 'token':
          timed = this.#isToken(value);
          break;
        case 'x-forwarded-for':
          claims = { ...claims, chain: claims.chain === '' ? value : `${claims.chain},${value}` };
          break;
        case 'x-forwarded-proto':
          claims = { ...claims, proto: value };
          break;
        case 'x-forwarded-host':
          claims = { ...claims, host: value };
          break;
        case 'drop':
          break;
      }
    }
    if (host !== undefined && !HOST.test(host)) {
      throw new Problem(400, 'invalid_host', 'the Host header is not a host');
    }
    if (named !== undefined) this.#dropNamed(headers, named);
    const trace = beginSpan(SPAN, parentIn(traceparent));
    headers.push('traceparent', traceparentOf(trace), 'via', `${via}1.1 fig`);
    const truth = { chain: addressOf(req), proto: 'http', host: host ?? '' };
    const { chain, proto, host: asked } = forwarding(truth, claims, this.#trustedHops);
    headers.push('x-forwarded-for', chain, 'x-forwarded-proto', proto);
    if (asked !== '') headers.push('x-forwarded-host', asked);
    this.#draws = (this.#draws + 1) % DRAWS;
    return {
      method,
      path,
      draw: `${this.#draws}`,
      target: query === '' ? path : path + query,
      headers,
      customer: customer === '' ? undefined : customer,
      keys,
      idempotencyKey: idempotencyKey === '' ? undefined : idempotencyKey,
      trace,
      chain,
      timed,
      bodyBytes,
    };
  }

  #treatmentOf(name: string): Treatment {
    // Some servers can't tell `_` from `-` in a header's name: neither may smuggle in the other.
    const plain = name.toLowerCase().replaceAll('_', '-');
    const treatment = this.#decide(plain, name.includes('_'));
    if (this.#treatments.size < KNOWN_NAMES_LIMIT) this.#treatments.set(name, treatment);
    return treatment;
  }

  #decide(plain: string, underscored: boolean): Treatment {
    const isKey = this.#keyHeaders.includes(plain);
    const ours = SPECIAL.has(plain) || plain === this.#stickyHeader || isKey;
    if (ours && underscored) return 'drop';
    if (plain === this.#stickyHeader) return 'customer';
    if (isKey) return 'key';
    if (ours) return plain as Treatment;
    if (plain === TOKEN && this.#timingToken && !underscored) return 'token';
    if (this.#trustedHops > 0 && !underscored) {
      const claim = FORWARDED.find((name) => name === plain);
      if (claim) return claim;
    }
    if (this.#droppedHeaders.has(plain)) return 'drop';
    if (DROPPED.has(plain) || DROPPED_PREFIXES.some((prefix) => plain.startsWith(prefix))) {
      return 'drop';
    }
    return 'keep';
  }

  #isToken(value: string): boolean {
    const given = Buffer.from(value);
    const token = this.#timingToken;
    return token !== undefined && given.length === token.length && timingSafeEqual(given, token);
  }

  /** Headers that Connection names are for this hop only, but none that the facade decides on. */
  #dropNamed(headers: string[], named: readonly string[]): void {
    for (const token of named) {
      const names = token === this.#stickyHeader || this.#keyHeaders.includes(token);
      if (names || (SPECIAL.has(token) && token !== 'connection')) {
        throw new Problem(400, 'invalid_connection', `Connection may not name ${token}`);
      }
      for (let index = headers.length - 2; index > TIMEOUT_AT; index -= 2) {
        if (headers[index]?.toLowerCase() === token) headers.splice(index, 2);
      }
    }
  }
}

function withKey(
  keys: Readonly<Record<string, string>> | undefined,
  name: string,
  value: string,
): Record<string, string> {
  const header = name.toLowerCase();
  if (keys && header in keys) throw twice(name);
  return value === '' ? { ...keys } : { ...keys, [header]: value };
}

function tokens(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '');
}

function addressOf(req: IncomingMessage): string {
  const address = req.socket.remoteAddress ?? 'unknown';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function twice(name: string): Problem {
  return new Problem(400, 'duplicate_header', `the header ${name.toLowerCase()} came twice`);
}
