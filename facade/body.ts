import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { bodyTooLarge } from './refusals.ts';
import type { Visit } from './visit.ts';

/**
 * Reads a whole body, so that it can be sent more than once.
 * @returns undefined when the visit is over: the body was too large, or the client left
 */
export function readBody(visit: Visit, limit: number): Promise<Buffer | undefined> {
  const { req, form } = visit;
  if (form.bodyBytes === 0) return Promise.resolve(Buffer.alloc(0));
  if (form.bodyBytes !== null && form.bodyBytes > limit) {
    visit.refuse(bodyTooLarge(limit));
    return Promise.resolve(undefined);
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    visit.underWay = { cancel: () => resolve(undefined) };
    req.on('data', (chunk: Buffer) => {
      if (visit.over) return;
      bytes += chunk.length;
      if (bytes <= limit) {
        chunks.push(chunk);
        return;
      }
      visit.refuse(bodyTooLarge(limit));
      resolve(undefined);
    });
    req.once('end', () => resolve(visit.over ? undefined : Buffer.concat(chunks, bytes)));
    req.once('error', () => {
      visit.gone();
      resolve(undefined);
    });
  });
}

/**
 * A body that is passed on as it comes, as fast as the upstream takes it. undici destroys the body
 * of a request that fails; the client's own stream must survive that to be answered.
 */
export function streamBody(visit: Visit): Readable {
  const { req } = visit;
  const body = new PassThrough();
  req.on('data', () => visit.prolong());
  req.once('error', (error) => body.destroy(error));
  return req.pipe(body);
}
