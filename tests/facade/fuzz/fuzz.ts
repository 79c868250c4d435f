import * as fc from 'fast-check';
import type { RawUpstream, SeenRequest } from '../conformance/raw-upstream.ts';
import { exchange } from './exchange.ts';
import type { Echo, Exchange } from './exchange.ts';
import { FORGED, fuzzedRequest, HOP } from './requests.ts';
import type { Meaning } from './requests.ts';

/** How many connections are used at the same time. */
const AT_ONCE = 250;

/** What may be answered to a client that may send anything. The upstreams are always well. */
const ALLOWED = new Set([100, 200, 400, 405, 408, 413, 417, 431, 501, 505]);

/** What upstreams have read in all. */
interface Counter {
  next: number;
  readonly strangers: SeenRequest[];
}

/** Ways to say the same answer: how its line reads, what comes before it, and how its end is told. */
const PHRASES = ['OK', 'Voil\u00e0', '\u00e6\u0089\u00be', '', 'O\u0001K', 'Fine by me'];
const PRELUDES = [
  '',
  '',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 102 Processing\r\nX-A: b\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
];
const ENDS = [
  { fields: 'Content-Length: 2', body: 'ok' },
  { fields: 'Trailer: X-Sum\r\nContent-Length: 2', body: 'ok' },
  { fields: 'Transfer-Encoding: chunked', body: '2\r\nok\r\n0\r\n\r\n' },
  { fields: 'Trailer: X-Sum\r\nTransfer-Encoding: chunked', body: '1\r\no\r\n1\r\nk\r\n0\r\n\r\n' },
];

function oneOf<T>(all: readonly T[], number: number): T {
  return all[number % all.length] as T;
}

/** Tells in the head of its answer what it has read. */
function echoing(
  upstream: RawUpstream,
  by: string,
  counter: Counter,
  { mark, oddAnswers = false }: Subject,
): void {
  upstream.reply = (request, socket) => {
    upstream.seen.length = 0;
    counter.next += 1;
    // What the proxy has sent on says so; what hides in something else does not.
    if (!request.headers.has(mark)) counter.strangers.push(request);
    const { method, target, body, headers } = request;
    const forged = [...headers].some(isForged);
    const hop = headers.has(HOP);
    const echo = { number: counter.next, by, method, target, body, forged, hop };
    const seen = Buffer.from(JSON.stringify(echo)).toString('base64url');
    const way = oddAnswers ? counter.next : 0;
    const { fields, body: end } = oneOf(ENDS, way);
    const head = `HTTP/1.1 200 ${oneOf(PHRASES, way)}\r\nX-Seen: ${seen}\r\n${fields}`;
    const text = `${oneOf(PRELUDES, Math.floor(way / 5))}${head}\r\n\r\n`;
    socket.write(method === 'HEAD' ? text : text + end, 'latin1');
  };
}

/** What two servers may read in two ways: an escape of what needs none, of a slash, in lower case... */
const DOUBTFUL =
  /\/\/|\/\.{1,2}(?:;[^/]*)?(?=\/|$)|[\\#"<>\s]|[^ -~]|%(?![0-9A-F]{2})|%(?:[01][0-9A-F]|2[DEF]|3[0-9]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])/;

const OURS_ALONE = /^(?:x-(?:user|fig|forwarded)-|x-real-ip$|forwarded$|x-customer-id$)/;

function isForged([name, value]: readonly [string, string]): boolean {
  // Spelled like this it is the client's to say; a damaged one may have swallowed the header after it.
  if (name === 'x-customer-id') return value === FORGED;
  return value.includes(FORGED) && OURS_ALONE.test(name.replaceAll('_', '-'));
}

function decoded(target: string): string {
  const path = target.split('?')[0] ?? '';
  const text = path.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return text.replace(/\/{2,}/g, '/');
}

function queryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? '' : target.slice(mark);
}

/** Where a request to this path belongs, by the words of the configuration. */
function ownerOf(target: string): string {
  const path = decoded(target).toLowerCase();
  return path === '/api/stock' || path.startsWith('/api/stock/') ? 'stock' : 'monolith';
}

function check({ request, statuses, echoes, text, gaveUp }: Exchange, isSplit: boolean): void {
  const about = JSON.stringify({ sent: request.bytes, got: text });
  for (const status of statuses) {
    if (!ALLOWED.has(status)) throw new Error(`answered ${status}: ${about}`);
  }
  for (const { target, by, forged } of echoes) {
    if (isSplit && ownerOf(target) !== by) throw new Error(`${target} went to ${by}: ${about}`);
    // An encoded slash may pass where no reading of it is anybody's but the monolith's.
    if (DOUBTFUL.test((target.split('?')[0] ?? '').replace(/%(?:2f|5c)/gi, '_')))
      throw new Error(`${target} got through: ${about}`);
    if (forged) throw new Error(`a forged header got through: ${about}`);
  }
  const { means } = request;
  if (means === null) return;
  if (gaveUp) throw new Error(`not answered: ${about}`);
  const final = statuses.filter((status) => status >= 200);
  const isLast = /\r\nconnection: close\r\n/i.test(text);
  if (
    final.length === 0 ||
    final.length > means.length ||
    (final.length < means.length && !isLast)
  ) {
    throw new Error(`answered ${final.length} times: ${about}`);
  }
  const passed = final.flatMap((status, index) =>
    status === 200 ? [means[index] as Meaning] : [],
  );
  if (passed.length !== echoes.length) throw new Error(`passed ${echoes.length}: ${about}`);
  for (const [index, meant] of passed.entries()) checkSame(echoes[index] as Echo, meant);
  // Where nothing is wrong, Connection has named it.
  if (echoes.some(({ hop }) => hop)) throw new Error(`a header of this hop got through: ${about}`);
}

function checkSame(echo: Echo, meant: Meaning): void {
  const same =
    echo.method === meant.method &&
    echo.body === meant.body &&
    decoded(echo.target) === decoded(meant.target) &&
    queryOf(echo.target) === queryOf(meant.target);
  if (!same) throw new Error(`${JSON.stringify(echo)} is not ${JSON.stringify(meant)}`);
}

interface Subject {
  readonly port: number;
  /** By the name of the one that a path belongs to. */
  readonly upstreams: Readonly<Record<'monolith' | 'stock', RawUpstream>>;
  /** A header that is in each request that it sends on. */
  readonly mark: string;
  /** Whether the upstreams say their answers in every way that there is. */
  readonly oddAnswers?: boolean;
}

interface Options {
  readonly requests: number;
  readonly seed: number;
  /** How long an answer that must come is waited for. */
  readonly longestMs: number;
}

interface Found {
  /** How many requests got to an upstream. */
  readonly passed: number;
  /** What went wrong, with the bytes that show it. */
  readonly faults: readonly string[];
}

/**
 * Sends requests, most of them with something odd, to a proxy before upstreams that tell what they
 * have read, and looks where they did not mean the same.
 */
export async function fuzz(
  subject: Subject,
  { requests, seed, longestMs }: Options,
): Promise<Found> {
  const { port, upstreams } = subject;
  const counter: Counter = { next: 0, strangers: [] };
  const isSplit = upstreams.stock !== upstreams.monolith;
  echoing(upstreams.monolith, 'monolith', counter, subject);
  if (isSplit) echoing(upstreams.stock, 'stock', counter, subject);
  const faults: string[] = [];
  let passed = 0;
  let gaveUp = 0;
  const all = fc.sample(fuzzedRequest, { numRuns: requests, seed });
  for (let from = 0; from < requests; from += AT_ONCE) {
    const exchanges = await Promise.all(
      all.slice(from, from + AT_ONCE).map((each) => exchange(port, each, longestMs)),
    );
    faults.push(...exchanges.flatMap((each) => faultIn(each, isSplit)));
    passed += exchanges.flatMap(({ echoes }) => echoes).length;
    gaveUp += exchanges.filter((each) => each.gaveUp).length;
    // What a client did not wait for may come while later ones are at it.
    const untold = counter.next - passed;
    if (untold < 0 || untold > gaveUp) faults.push(`${untold} more than asked for`);
  }
  const hidden = counter.strangers.map((each) => `a hidden request: ${JSON.stringify(each)}`);
  return { passed, faults: [...hidden, ...faults] };
}

function faultIn(exchanged: Exchange, isSplit: boolean): string[] {
  try {
    check(exchanged, isSplit);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}
