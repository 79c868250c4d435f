/** A JSON value that keeps what JSON.parse loses: digits, members named `__proto__`, and depth. */
export type Json = null | boolean | string | ExactNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** A number by its decimal value: `1`, `1.0` and `10e-1` are the same, as are `0` and `-0.0`. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  equals({ text }: ExactNumber): boolean {
    return this.text === text || normalized(this.text) === normalized(text);
  }
}

/** Deeper texts are compared by their bytes: what reads them must not run out of stack. */
const DEEPEST = 200;
/** Longer numbers are compared as they are written: what a power of a million digits is takes seconds. */
const LONGEST_NUMBER = 1_000;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;
const SPACE = ' \t\n\r';
const WORDS: Readonly<Record<string, null | boolean>> = { null: null, true: true, false: false };

/**
 * Reads JSON (RFC 8259) without rounding.
 * @returns undefined where it is none, names a member twice, or is nested deeper than 200 levels
 */
export function exactJson(text: string): Json | undefined {
  try {
    return new Reader(text).document();
  } catch {
    return undefined;
  }
}

class NoJson extends Error {}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw new NoJson();
    return value;
  }

  #value(depth: number): Json {
    if (depth > DEEPEST) throw new NoJson();
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true');
      case 'f':
        return this.#word('false');
      case 'n':
        return this.#word('null');
      default:
        return new ExactNumber(this.#take(NUMBER));
    }
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    this.#list('}', () => {
      this.#skipSpace();
      const name = this.#string();
      // Readers differ in which of two they take.
      if (members.has(name)) throw new NoJson();
      this.#skipSpace();
      if (!this.#skip(':')) throw new NoJson();
      members.set(name, this.#value(depth + 1));
    });
    return members;
  }

  #array(depth: number): readonly Json[] {
    const elements: Json[] = [];
    this.#list(']', () => elements.push(this.#value(depth + 1)));
    return elements;
  }

  #list(end: string, item: () => void): void {
    this.#at += 1;
    this.#skipSpace();
    if (this.#skip(end)) return;
    do {
      item();
      this.#skipSpace();
    } while (this.#skip(','));
    if (!this.#skip(end)) throw new NoJson();
  }

  #string(): string {
    return JSON.parse(this.#take(STRING)) as string;
  }

  #word(word: string): null | boolean {
    if (!this.#skip(word)) throw new NoJson();
    return WORDS[word] as null | boolean;
  }

  #skipSpace(): void {
    while (this.#at < this.#text.length && SPACE.includes(this.#text.charAt(this.#at)))
      this.#at += 1;
  }

  #skip(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new NoJson();
    this.#at += found.length;
    return found;
  }
}

/** The same text for equal values: digits without zeros at either end, and the power of ten to multiply with. */
function normalized(text: string): string {
  if (text.length > LONGEST_NUMBER) return text;
  const [mantissa = '', power = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = withoutZerosAtItsEnd(digits);
  // A power may have any number of digits itself.
  const exponent = BigInt(power) + BigInt(digits.length - significant.length - fraction.length);
  return `${text.startsWith('-') ? '-' : ''}${significant}e${exponent}`;
}

/** Not by a pattern, which would try each zero in the middle as the first of those at the end. */
function withoutZerosAtItsEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return digits.slice(0, end);
}

/** As plain JSON, to be shown: numbers that would be rounded, as text. */
export function shownJson(value: Json | undefined): unknown {
  if (value instanceof ExactNumber) {
    const number = Number(value.text);
    const isExact = Number.isFinite(number) && new ExactNumber(String(number)).equals(value);
    return isExact ? number : value.text;
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map(shownJson);
  if (value instanceof Map) {
    const members = [...(value as JsonObject)];
    // Makes own members, also of `__proto__`.
    return Object.fromEntries(members.map(([name, each]) => [name, shownJson(each)]));
  }
  return value;
}
