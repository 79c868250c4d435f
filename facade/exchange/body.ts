import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { bodyTooLarge } from './refusals.ts';
import type { Visit } from './visit.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Reads a whole body, so that it can be sent more than once.
 * @param done not called when the visit is over: the body was too large, or the client left
 */
export function readBody(visit: Visit, limit: number, done: (body: Buffer) => void): void {
  const { req, form } = visit;
  const { bodyBytes } = form;
  if (bodyBytes === 0) {
    done(EMPTY);
    return;
  }
  if (bodyBytes !== null && bodyBytes > limit) {
    visit.refuse(bodyTooLarge(limit));
    return;
  }
  visit.invite();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    if (!visit.over) done(joined(chunks));
  };
  req.on('data', (chunk: Buffer) => {
    if (visit.over) return;
    bytes += chunk.length;
    if (bytes > limit) {
      visit.refuse(bodyTooLarge(limit));
      return;
    }
    chunks.push(chunk);
    // The parser has counted: waiting for the end would only cost time.
    if (bytes === bodyBytes) finish();
  });
  if (bodyBytes === null) req.once('end', finish);
  req.once('error', () => visit.gone());
}

/** A whole body. Most come in one piece, which is not copied. */
export function joined(chunks: readonly Buffer[]): Buffer {
  const [first] = chunks;
  return first && chunks.length === 1 ? first : Buffer.concat(chunks);
}

/**
 * A body that is passed on as it comes, as fast as the upstream takes it. undici destroys the body
 * of a request that fails; the client's own stream must survive that to be answered.
 */
export function streamBody(visit: Visit): Readable {
  const { req } = visit;
  visit.invite();
  const body = new PassThrough();
  req.on('data', () => visit.prolong());
  req.once('error', (error) => body.destroy(error));
  return req.pipe(body);
}
