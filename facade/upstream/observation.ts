/** One side's answer, as it came. */
export interface Observation {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly (string | Buffer)[];
  readonly body: Buffer;
}

/** The values of a header, as one; undefined where there is none. @param name in lower case */
export function headerOf(
  { headers }: Pick<Observation, 'headers'>,
  name: string,
): string | undefined {
  let found: string | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const given = headers[index] as string | Buffer;
    // Most names are told from the one that is sought by their length alone.
    if (given.length !== name.length || textOf(given).toLowerCase() !== name) continue;
    const value = textOf(headers[index + 1] as string | Buffer);
    found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

function textOf(text: string | Buffer): string {
  return typeof text === 'string' ? text : text.toString('latin1');
}

/** A whole body. Most come in one piece, which is not copied. */
export function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first && chunks.length === 1 ? first : Buffer.concat(chunks);
}
