import { Problem } from '../../chassis/index.ts';

/** A target whose path is already in its canonical form: most of them. */
const PLAIN = /^(?:\/[\w~!$&'()*+,;=:@-][\w~!$&'()*+,;=:@.-]*)*\/?$/;
const UNSAFE = /[^\x21-\x7e]|[#\\]/;
const ESCAPE = /%([0-9a-fA-F]{2})?/g;
const ENCODED_SLASH = /%(?:2f|5c)/i;
const UNRESERVED = /[\w.~-]/;
const MUST_ESCAPE = /["<>^`{|}]/g;
/** `.` and `..`, also with the path parameters that some servers strip (`..;x`). */
const DOTS = /\/\.{1,2}(?:;[^/]*)?(?=\/|$)/;

/**
 * The one form of a request target that routes, flags and upstreams all see: unreserved characters
 * decoded, other escapes in upper case, runs of slashes merged. What two servers could read in two
 * ways is refused: encoded control characters, `\`, `#`, dot segments, absolute forms. Encoded
 * slashes stay as they came: only who knows the routes can tell whether they matter
 * (`readingsOf`).
 * @param target the request line's target, such as `/a/%62?c=d`
 * @returns path and query; the query is empty or starts with `?` and is left as it came
 * @throws Problem 400 `invalid_path` that says why
 */
export function canonicalTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  const raw = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark);
  if (query !== '' && UNSAFE.test(query)) throw invalid('the query holds a character it may not');
  return { path: raw !== '' && PLAIN.test(raw) ? raw : canonicalPath(raw), query };
}

/**
 * The other paths that a server may see in one with encoded slashes, in canonical form; none for
 * most paths.
 * @throws Problem 400 where one of them leads out of its place
 */
export function readingsOf(path: string): readonly string[] {
  if (!ENCODED_SLASH.test(path)) return [];
  return [path.replace(/%2f/gi, '/'), path.replace(/%2f|%5c/gi, '/')].map((reading) => {
    const merged = reading.replace(/\/{2,}/g, '/');
    if (DOTS.test(merged)) throw invalid('the path holds an encoded slash beside `.` or `..`');
    return merged;
  });
}

/** Where a path with encoded slashes is another one's to some servers. */
export function encodedSlash(): Problem {
  return invalid('the path holds an encoded slash, which upstreams read in different ways');
}

function canonicalPath(raw: string): string {
  if (!raw.startsWith('/')) throw invalid('the request target must be a path that starts with /');
  if (UNSAFE.test(raw)) throw invalid('the path holds a character it may not');
  const path = raw
    .replace(ESCAPE, unescape)
    .replace(MUST_ESCAPE, (character) => escaped(character.charCodeAt(0)))
    .replace(/\/{2,}/g, '/');
  if (!isUtf8(path)) throw invalid('the path holds escapes that are no UTF-8');
  if (DOTS.test(path)) throw invalid('the path holds a `.` or `..` segment; send it resolved');
  return path;
}

function unescape(match: string, digits: string | undefined): string {
  if (digits === undefined) throw invalid('the path holds a malformed % sequence');
  const code = Number.parseInt(digits, 16);
  const character = String.fromCharCode(code);
  if (code < 0x20 || code === 0x7f) throw invalid('the path holds an encoded control character');
  if (character === '/' || character === '\\') return match;
  return code < 0x7f && UNRESERVED.test(character) ? character : escaped(code);
}

/** Overlong forms, too, in which a lenient server might find a slash. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

function escaped(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

function invalid(detail: string): Problem {
  return new Problem(400, 'invalid_path', detail);
}
