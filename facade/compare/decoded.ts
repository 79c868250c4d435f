import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { headerOf } from '../upstream/index.ts';
import type { Observation } from '../upstream/index.ts';

/** Why an answer can't be compared: an unknown or broken Content-Encoding, or too much of a body. */
export type Undecodable = 'encoding' | 'too_large';

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const LARGEST = { maxOutputLength: 8_000_000 };
const MOST_CODINGS = 2;
const unzip: Decoder = promisify<Buffer, object, Buffer>(gunzip);

const DECODERS: Readonly<Record<string, Decoder>> = {
  identity: (body) => Promise.resolve(body),
  gzip: unzip,
  deflate: promisify<Buffer, object, Buffer>(inflate),
  br: promisify<Buffer, object, Buffer>(brotliDecompress),
};

/** The names of what a body was encoded with, in the order in which that was done. */
export function codingsOf(observation: Observation): readonly string[] {
  const named = headerOf(observation, 'content-encoding')?.toLowerCase();
  if (named === undefined) return [];
  return named
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity');
}

/** The same answer with the body that was meant. */
export async function decoded(observation: Observation): Promise<Observation | Undecodable> {
  const codings = codingsOf(observation);
  if (codings.length === 0 || observation.body.length === 0) return observation;
  if (codings.length > MOST_CODINGS) return 'encoding';
  let { body } = observation;
  for (const coding of codings.toReversed()) {
    const decode = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
    if (!decode) return 'encoding';
    try {
      body = await decode(body, LARGEST);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return code === 'ERR_BUFFER_TOO_LARGE' ? 'too_large' : 'encoding';
    }
  }
  return { ...observation, body };
}
