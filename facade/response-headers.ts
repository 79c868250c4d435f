const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'transfer-encoding',
  'upgrade',
]);
const CONNECTION = 'connection';

/**
 * An upstream's headers, fit for the client: without what was meant for the last hop only.
 * @param raw names and values in turn, as undici hands them over
 */
export function responseHeaders(raw: readonly Buffer[]): string[] {
  const headers: string[] = [];
  let named: string[] | undefined;
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] as Buffer).toString('latin1');
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower)) {
      if (lower === CONNECTION)
        named = namedBy((raw[index + 1] as Buffer).toString('latin1'), named);
    } else {
      headers.push(name, (raw[index + 1] as Buffer).toString('latin1'));
    }
  }
  if (named !== undefined) dropNamed(headers, named);
  headers.push('via', '1.1 fig');
  return headers;
}

function namedBy(value: string, before: string[] | undefined): string[] | undefined {
  const lower = value.toLowerCase();
  if (lower === 'keep-alive' || lower === 'close') return before;
  return [...(before ?? []), ...lower.split(',').map((token) => token.trim())];
}

function dropNamed(headers: string[], named: readonly string[]): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    const name = (headers[index] as string).toLowerCase();
    if (named.includes(name) && name !== 'content-length') headers.splice(index, 2);
  }
}

/** A header's value, or undefined. `name` is lower-case. */
export function headerValue(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    const candidate = headers[index] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      return headers[index + 1];
    }
  }
  return undefined;
}
