import { isUtf8 } from 'node:buffer';
import { Problem } from '../../../chassis/index.ts';
import type { Logger } from '../../../chassis/index.ts';
import type { TranslationConfig } from '../../../routing/index.ts';
import type { AnswerFilter, RequestContext, WholeAnswer } from '../../forward/index.ts';
import { isSafe } from '../../request/index.ts';
import { headerOf } from '../../upstream/index.ts';

/** The largest answer that is translated. */
const MOST_BYTES = 4_000_000;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;
/** What asks for a part of the spoken version's body, for a coding of it, or compares it with one. */
const OF_THE_BODY = /^(?:accept-encoding|range|if-.+)$/i;
/** What an answer says of the spoken version's body alone. */
const OF_THE_SPOKEN =
  /^(?:content-length|content-md5|content-digest|repr-digest|digest|etag|last-modified|accept-ranges|trailer)$/i;

/** Whether a request is to be carried out only for a certain state of what it is about. */
export function isConditional(headers: readonly string[]): boolean {
  return pairs(headers).some(([name]) => /^if-/i.test(name));
}

/** Headers of a request whose answer is to be translated. */
export function withoutConditions(headers: readonly string[]): string[] {
  return pairs(headers).flatMap(([name, value]) => (OF_THE_BODY.test(name) ? [] : [name, value]));
}

/**
 * A request's body as upstreams take it. What is no JSON is passed on as it is: they refuse it.
 * @throws what the translation throws, and Problem 400 or 415 for JSON that a server may be able to read and
 *   the facade can't: the server would take it for a body of the version that it speaks
 */
export function translatedBody(
  body: Buffer,
  headers: readonly string[],
  translate: NonNullable<TranslationConfig['request']>,
): Buffer {
  const type = headerOf({ headers }, 'content-type') ?? '';
  if (!JSON_TYPE.test(type)) return body;
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1] ?? 'utf-8';
  const coding = headerOf({ headers }, 'content-encoding') ?? 'identity';
  for (const [given, readable] of [
    [charset, /^(?:utf-?8|us-ascii)$/i],
    [coding, /^identity$/i],
  ] as const) {
    if (!readable.test(given)) throw unsupported(given);
  }
  if (!isUtf8(body))
    throw new Problem(400, 'malformed_json', 'the body is not JSON: it is not UTF-8');
  let given: unknown;
  try {
    given = JSON.parse(textOf(body));
  } catch {
    return body;
  }
  return Buffer.from(JSON.stringify(translate(given)));
}

/** Has a client of another version see its own words in an upstream's answer. */
export class TranslatedAnswer implements AnswerFilter {
  readonly #translate: NonNullable<TranslationConfig['answer']>;
  readonly #context: RequestContext;
  readonly #log: Logger;
  #isJson = false;
  /** What the translated answer passes after this. */
  readonly #next: AnswerFilter | undefined;

  constructor(
    translate: NonNullable<TranslationConfig['answer']>,
    context: RequestContext,
    log: Logger,
  ) {
    this.#translate = translate;
    this.#context = context;
    this.#log = log;
    this.#next = context.filter;
  }

  /** A page of HTML, such as a proxy's error, has no version. */
  takes(status: number, fields: readonly string[]): number {
    const taken = this.#next?.takes(status, fields) ?? 0;
    this.#isJson = isJson(fields);
    return this.#isJson ? MOST_BYTES : taken;
  }

  pass(answer: WholeAnswer): WholeAnswer {
    const translated = this.#isJson ? this.#translated(answer) : answer;
    const { status, fields, body } = translated;
    const isTaken = this.#next && this.#next.takes(status, fields) >= Math.max(1, body.length);
    return isTaken && this.#next ? this.#next.pass(translated) : translated;
  }

  insteadOf(status: number): WholeAnswer | undefined {
    return this.#next?.insteadOf?.(status);
  }

  #translated({ status, fields, body }: WholeAnswer): WholeAnswer {
    const kept = pairs(fields).flatMap(([name, value]) =>
      OF_THE_SPOKEN.test(name) ? [] : [name, value],
    );
    if (this.#context.form.method === 'HEAD') return { status, fields: kept, body };
    try {
      const given: unknown = JSON.parse(textOf(body));
      const told = Buffer.from(JSON.stringify(this.#translate(given, status)));
      return { status, fields: [...kept, 'content-length', String(told.length)], body: told };
    } catch (error) {
      const { version, path } = this.#context.form;
      this.#log.error({ err: error, version, path }, 'an answer could not be translated');
      throw this.#failed('it could not be translated');
    }
  }

  overflow(): void {
    if (!this.#isJson) return;
    throw this.#failed(`it has more than ${MOST_BYTES} bytes`);
  }

  #failed(why: string): Problem {
    const { method, version } = this.#context.form;
    const happened = isSafe(method)
      ? ''
      : '; the request was carried out: the same key gives its answer in another version';
    return new Problem(
      502,
      'translation_failed',
      `there is an answer, and ${why} to ${version}${happened}`,
    );
  }
}

function unsupported(what: string): Problem {
  const detail = `a JSON body of this version is translated, which takes UTF-8 and no ${what}; nothing has happened`;
  return new Problem(415, 'unsupported_encoding', detail);
}

/** Without the byte order mark that some programs write, and many servers skip. @throws TypeError for no UTF-8 */
function textOf(body: Buffer): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(body);
}

function isJson(fields: readonly string[]): boolean {
  return JSON_TYPE.test(headerOf({ headers: fields }, 'content-type') ?? '');
}

function pairs(fields: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) {
    found.push([fields[index] as string, fields[index + 1] as string]);
  }
  return found;
}
