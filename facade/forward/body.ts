import { PassThrough, Readable } from 'node:stream';
import { joined } from '../upstream/index.ts';
import type { RequestContext } from './request-context.ts';

/** A request's body: whole, so that it can be sent more than once, or as it comes. */
export type Body = Buffer | Readable;

/** Whether a body can be sent again. */
export function isKept(body: Body | null): body is Buffer | null {
  return !(body instanceof Readable);
}

/**
 * Reads a body up to a limit, so that it can be sent more than once; a larger one is passed on as it
 * comes, and an empty one is none.
 * @param done at once where no body comes; not called when the request is over: the client left, or took too long
 */
export function readBody(
  context: RequestContext,
  limit: number,
  done: (body: Body | null) => void,
): void {
  const { req, form, body: given } = context;
  const { bodyBytes } = form;
  if (given) {
    done(given);
    return;
  }
  if (bodyBytes === 0) {
    done(null);
    return;
  }
  if (bodyBytes !== null && bodyBytes > limit) {
    done(streamBody(context));
    return;
  }
  context.sendContinue();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const finish = (): void => {
    if (!context.over) done(bytes === 0 ? null : joined(chunks));
  };
  const take = (chunk: Buffer): void => {
    if (context.over) return;
    context.prolong(chunk.length);
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > limit) {
      req.off('data', take).off('end', finish);
      done(streamBody(context, chunks));
    }
    // The parser has counted: waiting for the end would only cost time.
    else if (bytes === bodyBytes) finish();
  };
  req.on('data', take);
  if (bodyBytes === null) req.once('end', finish);
  req.once('error', () => context.gone());
}

/**
 * A body that is passed on as it comes, as fast as the upstream takes it. undici destroys the body
 * of a request that fails; the client's own stream must survive that to be answered.
 * @param begun what has been read of it already
 */
export function streamBody(context: RequestContext, begun: readonly Buffer[] = []): Body {
  const { req, form } = context;
  if (context.body) return context.body;
  if (form.bodyBytes !== null) form.headers.push('content-length', String(form.bodyBytes));
  context.sendContinue();
  const body = new PassThrough();
  for (const chunk of begun) body.write(chunk);
  req.on('data', (chunk: Buffer) => context.prolong(chunk.length));
  req.once('error', (error) => body.destroy(error));
  // An upstream that has answered reads no further; the client may have to send all before it reads.
  body.once('close', () => {
    req.unpipe(body);
    req.resume();
  });
  return req.pipe(body);
}
