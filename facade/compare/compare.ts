import { isUtf8 } from 'node:buffer';
import { ExactNumber, exactJson, shownJson } from './exact-json.ts';
import type { Json, JsonObject } from './exact-json.ts';
import { TooLarge, headerOf } from '../upstream/index.ts';
import type { Observation } from '../upstream/index.ts';

/** One place where two answers differ. */
export interface Difference {
  /**
   * Such as `items.0.available`; empty for the body as a whole, `(status)` for the status,
   * `(location)` for a header.
   */
  readonly path: string;
  /** Undefined where that side has nothing there. */
  readonly legacy: unknown;
  readonly extracted: unknown;
}

/** What counts when answers are compared. */
export interface ComparisonRules {
  /** Paths that may differ; `*` stands for one step, such as `items.*.updatedAt`. */
  readonly ignore: readonly string[];
  /** Lower-case names of headers that must be the same. */
  readonly headers: readonly string[];
  /** Origins of both sides: where a header names its own, only the rest of it counts. */
  readonly origins: { readonly legacy: string; readonly extracted: string };
}

const CODING = 'content-encoding';
const MOST_DIFFERENCES = 20;
/** Of larger bodies it is only told whether they are the same: reading them would keep clients waiting. */
const READ_BYTES = 1_000_000;
/** Longer values are cut when they are shown. */
const SHOWN_CHARACTERS = 1_000;
const SHOWN_BYTES = 32;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\b/;

/**
 * Compares two answers whose bodies are decoded: status, headers, and the JSON of the bodies, or
 * their bytes where they are no JSON.
 * @returns the differences, at most 20
 * @throws TooLarge where it would have to read more than 1 MB of a body to tell
 */
export function differences(
  legacy: Observation,
  extracted: Observation,
  rules: ComparisonRules,
): readonly Difference[] {
  const found: Difference[] = [];
  if (legacy.status !== extracted.status) {
    found.push({ path: '(status)', legacy: legacy.status, extracted: extracted.status });
  }
  for (const name of rules.headers) {
    const path = `(${name})`;
    const values = {
      legacy: headerValue(legacy, name, rules.origins.legacy),
      extracted: headerValue(extracted, name, rules.origins.extracted),
    };
    if (values.legacy === values.extracted || rules.ignore.includes(path)) continue;
    found.push({ path, ...values });
  }
  if (legacy.body.equals(extracted.body)) return found;
  if (Math.max(legacy.body.length, extracted.body.length) > READ_BYTES) {
    if (found.length > 0) return found;
    throw new TooLarge(`bodies that differ, of more than ${READ_BYTES} bytes`);
  }
  const texts = [jsonOf(legacy), jsonOf(extracted)] as const;
  if (texts[0] !== undefined && texts[1] !== undefined) {
    const ignored = rules.ignore.map((path) => path.split('.'));
    compare(texts[0], texts[1], [], ignored, found);
  } else {
    found.push(differentBytes(legacy.body, extracted.body));
  }
  return found;
}

/** Whether two answers are the same as they came, which spares decoding and parsing them. */
export function sameAnswer(
  left: Observation,
  right: Observation,
  headers: readonly string[] = [],
): boolean {
  return (
    left.status === right.status &&
    left.body.equals(right.body) &&
    headerOf(left, CODING) === headerOf(right, CODING) &&
    headers.every((name) => headerOf(left, name) === headerOf(right, name))
  );
}

/** What a header says, without what is only another spelling. */
function headerValue(observation: Observation, name: string, origin: string): string | undefined {
  const value = headerOf(observation, name)?.trim();
  if (value === undefined) return undefined;
  if (name === 'content-type') return mediaType(value);
  if (name === 'location' || name === 'content-location') {
    const rest = value.startsWith(origin) ? value.slice(origin.length) : undefined;
    if (rest === '' || /^[?#]/.test(rest ?? '')) return `/${rest}`;
    return rest?.startsWith('/') ? rest : value;
  }
  return value;
}

/** JSON is UTF-8, whether its type says so or not (RFC 8259 8.1). */
function mediaType(value: string): string {
  const parts = value.split(';').map((part) => part.trim().toLowerCase().replaceAll('"', ''));
  const isJson = JSON_TYPE.test(parts[0] ?? '');
  return parts.filter((part) => part !== '' && !(isJson && part === 'charset=utf-8')).join('; ');
}

function jsonOf(observation: Observation): Json | undefined {
  const { body } = observation;
  if (!isUtf8(body)) return undefined;
  const text = body.toString();
  // Some servers call it HTML. A plain text may be `1.0`, and is another one than `1`.
  const isMeant = /^\s*[[{]/.test(text) || JSON_TYPE.test(typeOf(observation));
  return isMeant ? exactJson(text) : undefined;
}

function typeOf(observation: Observation): string {
  return headerOf(observation, 'content-type')?.trim().toLowerCase() ?? '';
}

function differentBytes(legacy: Buffer, extracted: Buffer): Difference {
  const areTexts = isUtf8(legacy) && isUtf8(extracted);
  const show = (body: Buffer, from: number): string => {
    if (areTexts) return cut(body.toString());
    const bytes = body.subarray(from, from + SHOWN_BYTES).toString('hex');
    return `${body.length} bytes; from byte ${from} on: ${bytes}`;
  };
  let at = 0;
  while (legacy[at] === extracted[at]) at += 1;
  return { path: '', legacy: show(legacy, at), extracted: show(extracted, at) };
}

function compare(
  legacy: Json | undefined,
  extracted: Json | undefined,
  path: readonly string[],
  ignored: readonly (readonly string[])[],
  found: Difference[],
): void {
  if (isSame(legacy, extracted) || found.length >= MOST_DIFFERENCES) return;
  if (ignored.some((pattern) => matches(pattern, path))) return;
  const names = namesIn(legacy, extracted);
  if (!names) {
    found.push({ path: path.join('.'), legacy: shown(legacy), extracted: shown(extracted) });
    return;
  }
  for (const name of names) {
    const [left, right] = [memberOf(legacy, name), memberOf(extracted, name)];
    // Most members are equal: a long list is not to cost a path for each.
    if (!isSame(left, right)) compare(left, right, [...path, String(name)], ignored, found);
  }
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  return left instanceof ExactNumber && right instanceof ExactNumber && left.equals(right);
}

/** What two objects, or two lists, have in them; undefined for anything else. */
function namesIn(
  left: Json | undefined,
  right: Json | undefined,
): Iterable<string | number> | undefined {
  if (isList(left) && isList(right)) {
    return Array(Math.max(left.length, right.length)).keys();
  }
  if (!(left instanceof Map) || !(right instanceof Map)) return undefined;
  return new Set([...(left as JsonObject).keys(), ...(right as JsonObject).keys()]);
}

function memberOf(value: Json | undefined, name: string | number): Json | undefined {
  if (isList(value)) return value[name as number];
  return (value as JsonObject).get(name as string);
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

function shown(value: Json | undefined): unknown {
  const plain = shownJson(value);
  const text = JSON.stringify(plain) as string | undefined;
  return text !== undefined && text.length > SHOWN_CHARACTERS ? cut(text) : plain;
}

function cut(text: string): string {
  if (text.length <= SHOWN_CHARACTERS) return text;
  return `${text.slice(0, SHOWN_CHARACTERS)}... (${text.length} characters)`;
}

function matches(pattern: readonly string[], path: readonly string[]): boolean {
  return (
    pattern.length === path.length &&
    pattern.every((step, index) => step === '*' || step === path[index])
  );
}
