import * as fc from 'fast-check';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { takeRequest } from '../conformance/raw-upstream.ts';
import type { RawUpstream } from '../conformance/raw-upstream.ts';

/** An upload, and an upstream that answers before it has read it. */
interface Early {
  readonly path: string;
  readonly bodyBytes: number;
  readonly isChunked: boolean;
  /** How much of the body the upstream has got when it answers. */
  readonly readBytes: number;
  readonly status: number;
  readonly answer: { readonly fields: string; readonly body: string };
  /** What the upstream does with the rest of the upload. */
  readonly rest: 'reads on' | 'stops reading' | 'ends';
  /** Whether the client reads nothing before it has sent all. */
  readonly writesFirst: boolean;
}

const LONGEST_MS = 20_000;
const PIECE = 50_000;
const MARK = 'answered-early';

const early: fc.Arbitrary<Early> = fc.record({
  path: fc.constantFrom('/up', '/api/stock/up'),
  bodyBytes: fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 1, max: 4_000_000 })),
  isChunked: fc.boolean(),
  readBytes: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 500_000 })),
  status: fc.constantFrom(200, 400, 401, 403, 413, 500),
  answer: fc.constantFrom(
    { fields: `Content-Length: ${MARK.length}`, body: MARK },
    { fields: `Trailer: X-Sum\r\nContent-Length: ${MARK.length}`, body: MARK },
    {
      fields: 'Transfer-Encoding: chunked',
      body: `${MARK.length.toString(16)}\r\n${MARK}\r\n0\r\n\r\n`,
    },
  ),
  rest: fc.constantFrom('reads on', 'stops reading', 'ends'),
  writesFirst: fc.boolean(),
});

function answerOf({ status, answer, rest }: Early): string {
  // Who does not read on can't serve another request.
  const closing = rest === 'reads on' ? '' : '\r\nConnection: close';
  return `HTTP/1.1 ${status} Early\r\n${answer.fields}${closing}\r\n\r\n${answer.body}`;
}

/** Answers as soon as it has the head and so much of the body. */
function answerEarly(current: () => Early) {
  return (socket: Socket, first: Buffer): void => {
    let read = '';
    let answered = false;
    const take = (chunk: Buffer): void => {
      read += chunk.toString('latin1');
      const head = read.indexOf('\r\n\r\n');
      if (head === -1) return;
      const { readBytes, rest } = current();
      if (!answered && read.length - head - 4 >= readBytes) {
        answered = true;
        socket.write(answerOf(current()));
        if (rest === 'stops reading') socket.pause();
        if (rest === 'ends') socket.end();
      }
      const whole = answered ? takeRequest(read) : undefined;
      if (!whole) return;
      read = read.slice(whole.length);
      answered = false;
      // The next request may have come with the end of this one.
      if (read !== '') take(Buffer.alloc(0));
    };
    socket.on('data', take);
    take(first);
  };
}

function bytesOf({ path, bodyBytes, isChunked }: Early): string {
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bodyBytes}`;
  const head = `POST ${path} HTTP/1.1\r\nHost: fig\r\n${framing}\r\n\r\n`;
  if (!isChunked) return head + 'x'.repeat(bodyBytes);
  const pieces: string[] = [];
  for (let left = bodyBytes; left > 0; left -= PIECE) {
    const length = Math.min(PIECE, left);
    pieces.push(`${length.toString(16)}\r\n${'x'.repeat(length)}\r\n`);
  }
  return `${head}${pieces.join('')}0\r\n\r\n`;
}

/** @returns what came back, once there is a whole answer, or the connection is over */
function upload(port: number, each: Early): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    const timer = setTimeout(finish, LONGEST_MS);
    const listen = (): void => {
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        if (text.includes(MARK)) finish();
      });
    };
    socket.on('end', finish).on('error', finish).on('close', finish);
    if (!each.writesFirst) listen();
    socket.write(bytesOf(each), 'latin1', () => {
      if (each.writesFirst) listen();
    });
  });
}

/**
 * Sends uploads to a proxy before upstreams that answer early.
 * @returns those whose client did not get the answer that the upstream gave
 */
export async function fuzzEarlyAnswers(
  port: number,
  upstreams: readonly RawUpstream[],
  { uploads, seed }: { readonly uploads: number; readonly seed: number },
): Promise<readonly string[]> {
  const faults: string[] = [];
  let current: Early | undefined;
  for (const upstream of upstreams) upstream.takeOver = answerEarly(() => current as Early);
  for (const sample of fc.sample(early, { numRuns: uploads, seed })) {
    const each = { ...sample, readBytes: Math.min(sample.readBytes, sample.bodyBytes) };
    current = each;
    const text = await upload(port, each);
    if (!text.startsWith(`HTTP/1.1 ${each.status} `) || !text.includes(MARK)) {
      faults.push(`${JSON.stringify(each)} got ${JSON.stringify(text.slice(0, 300))}`);
    }
  }
  return faults;
}
