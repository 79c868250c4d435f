import { STATUS_CODES } from 'node:http';

/** An upstream's headers, fit for the client. */
export interface ResponseHeaders {
  /** Names and values in turn. */
  readonly fields: string[];
  /** Bytes of body that are announced; NaN where only its end will tell. */
  readonly contentLength: number;
}

/** An answer that is no HTTP, or whose end nobody could tell. */
export class MalformedAnswer extends Error {
  readonly code = 'FIG_MALFORMED';
}

type Treatment =
  'keep' | 'drop' | 'connection' | 'content-length' | 'trailer' | 'transfer-encoding';

const HOP_BY_HOP = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'upgrade',
]);
/** Treatments that go by the header's own name. */
const SPECIAL = new Set(['connection', 'content-length', 'trailer', 'transfer-encoding']);
/** What decides how a message is read, routed or stored is none of a trailer's (RFC 9110 6.5.1). */
const NO_TRAILERS = new Set([
  ...HOP_BY_HOP,
  ...SPECIAL,
  'host',
  'cache-control',
  'expect',
  'max-forwards',
  'pragma',
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'www-authenticate',
  'authorization',
  'proxy-authorization',
  'authentication-info',
  'proxy-authentication-info',
  'set-cookie',
  'cookie',
  'age',
  'expires',
  'date',
  'location',
  'retry-after',
  'vary',
  'warning',
  'content-encoding',
  'content-type',
  'content-range',
  'via',
]);
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
/** What a status line may say in any client's eyes. */
const PLAIN_PHRASE = /^[\t\x20-\x7e]*$/;
const KNOWN_NAMES_LIMIT = 2_000;
const treatments = new Map<string, Treatment>();

/** Whether an answer of this status never has a body (RFC 9112 6.3), whatever its headers say. */
export function isBodiless(status: number): boolean {
  return status === NO_CONTENT || status === NOT_MODIFIED;
}

/** An upstream's reason phrase; the standard one where not every client could read it. */
export function reasonPhrase(status: number, given: string): string {
  return PLAIN_PHRASE.test(given) ? given : (STATUS_CODES[status] ?? '');
}

/**
 * Drops what was meant for the last hop only, and says that the facade was on the way.
 * @param raw names and values in turn, as undici hands them over
 * @param takesTrailers whether the client reads chunks, and the request asks for a body
 * @throws MalformedAnswer where the body's end is told in a way that nobody asked for
 */
export function responseHeaders(
  raw: readonly Buffer[],
  status: number,
  takesTrailers: boolean,
): ResponseHeaders {
  const texts = decode(raw);
  const fields: string[] = [];
  let contentLength = Number.NaN;
  let trailer: string | undefined;
  let named: string[] | undefined;
  for (let index = 0; index < texts.length; index += 2) {
    const name = texts[index] as string;
    const value = texts[index + 1] as string;
    switch (treatments.get(name) ?? treatmentOf(name)) {
      case 'keep':
        fields.push(name, value);
        break;
      case 'content-length':
        contentLength = Number(value);
        // A server must not say it (RFC 9110 8.6); many do.
        if (status !== NO_CONTENT) fields.push(name, value);
        break;
      case 'trailer':
        trailer = trailer === undefined ? value : `${trailer}, ${value}`;
        break;
      case 'transfer-encoding':
        if (value.trim().toLowerCase() !== 'chunked') {
          throw new MalformedAnswer(`Transfer-Encoding: ${value} was not asked for`);
        }
        break;
      case 'connection':
        named = namedBy(value, named);
        break;
      case 'drop':
        break;
    }
  }
  if (named !== undefined) dropNamed(fields, named);
  // Only chunks have room for trailers: node refuses to announce any beside a length.
  if (trailer !== undefined && takesTrailers && !isBodiless(status) && !(contentLength >= 0)) {
    const names = announced(trailer);
    if (names !== '') fields.push('trailer', names);
  }
  fields.push('via', '1.1 fig');
  return { fields, contentLength };
}

/** Trailers that may be passed on, with their values. */
export function allowedTrailers(raw: readonly (string | Buffer)[]): [string, string][] {
  const trailers: [string, string][] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = String(raw[index]);
    if (NO_TRAILERS.has(name.toLowerCase())) continue;
    trailers.push([name, raw[index + 1]?.toString('latin1') ?? '']);
  }
  return trailers;
}

/** The names that an answer announces, without those that will not be passed on. */
function announced(names: string): string {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !NO_TRAILERS.has(name.toLowerCase()))
    .join(', ');
}

/** All pieces are usually views of one block: decoding that once costs far less than each of them. */
function decode(raw: readonly Buffer[]): string[] {
  const first = raw[0];
  const last = raw[raw.length - 1];
  if (first === undefined || last === undefined) return [];
  const { buffer, byteOffset } = first;
  const end = last.byteOffset + last.length;
  let before = byteOffset;
  for (const piece of raw) {
    if (piece.buffer !== buffer || piece.byteOffset < before) {
      return raw.map((each) => each.toString('latin1'));
    }
    before = piece.byteOffset + piece.length;
  }
  const block = Buffer.from(buffer, byteOffset, end - byteOffset).toString('latin1');
  return raw.map((piece) => {
    const from = piece.byteOffset - byteOffset;
    return block.slice(from, from + piece.length);
  });
}

function treatmentOf(name: string): Treatment {
  const treatment = decide(name.toLowerCase());
  if (treatments.size < KNOWN_NAMES_LIMIT) treatments.set(name, treatment);
  return treatment;
}

function decide(name: string): Treatment {
  if (SPECIAL.has(name)) return name as Treatment;
  return HOP_BY_HOP.has(name) ? 'drop' : 'keep';
}

function namedBy(value: string, before: string[] | undefined): string[] | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return before;
  return [...(before ?? []), ...lower.split(',').map((token) => token.trim())];
}

function dropNamed(fields: string[], named: readonly string[]): void {
  for (let index = fields.length - 2; index >= 0; index -= 2) {
    const name = (fields[index] as string).toLowerCase();
    if (named.includes(name) && name !== 'content-length') fields.splice(index, 2);
  }
}
