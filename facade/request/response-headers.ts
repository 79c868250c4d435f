/** An upstream's headers, fit for the client. */
export interface ResponseHeaders {
  /** Names and values in turn. */
  readonly fields: string[];
  /** Bytes of body that are announced; NaN where only its end will tell. */
  readonly contentLength: number;
}

type Treatment = 'keep' | 'drop' | 'connection' | 'content-length';

const HOP_BY_HOP = new Set([
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
]);
const KNOWN_NAMES_LIMIT = 2_000;
const treatments = new Map<string, Treatment>();

/**
 * Drops what was meant for the last hop only, and says that the facade was on the way.
 * @param raw names and values in turn, as undici hands them over
 */
export function responseHeaders(raw: readonly Buffer[]): ResponseHeaders {
  const texts = decode(raw);
  const fields: string[] = [];
  let contentLength = Number.NaN;
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
        fields.push(name, value);
        break;
      case 'connection':
        named = namedBy(value, named);
        break;
      case 'drop':
        break;
    }
  }
  if (named !== undefined) dropNamed(fields, named);
  fields.push('via', '1.1 fig');
  return { fields, contentLength };
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
  if (name === 'connection' || name === 'content-length') return name;
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
