import type { Case } from './case.ts';
import { answerOf, BODY, CHUNKS, isDocumented, LENGTH, NEXT, tableOf } from './answer-table.ts';
import type { Target } from './target.ts';

interface OddAnswer {
  readonly name: string;
  /** The upstream's bytes. */
  readonly sends: string;
  readonly must: string;
  readonly ours: string;
}

const REST = `${LENGTH}\r\n\r\n${BODY}`;
const OK = `200 OK, length ${BODY.length}, ${BODY}`;
const MISSING = `404 Not Found, length ${BODY.length}, ${BODY}`;
const STANDARD = 'the answer, with a phrase that all can read';
const NO_HTTP = '502 Bad Gateway, length, a problem';

/** Whatever an upstream sends, it is the end of its own answer at most. */
const ODD: readonly OddAnswer[] = [
  {
    name: 'a reason phrase in Latin-1',
    sends: `HTTP/1.1 404 Non trouv\u00e9\r\n${REST}`,
    must: STANDARD,
    ours: MISSING,
  },
  {
    name: 'a reason phrase in UTF-8',
    sends: `HTTP/1.1 404 \u00e6\u0089\u00be\u00e4\u00b8\u008d\r\n${REST}`,
    must: STANDARD,
    ours: MISSING,
  },
  {
    name: 'a control character in the reason phrase',
    sends: `HTTP/1.1 404 Not\u0001Found\r\n${REST}`,
    must: STANDARD,
    ours: MISSING,
  },
  {
    name: 'a reason phrase of its own',
    sends: `HTTP/1.1 404 Gone fishing\r\n${REST}`,
    must: 'pass it on',
    ours: `404 Gone fishing, length ${BODY.length}, ${BODY}`,
  },
  {
    name: 'an empty reason phrase',
    sends: `HTTP/1.1 404 \r\n${REST}`,
    must: 'pass it on',
    ours: `404, length ${BODY.length}, ${BODY}`,
  },
  {
    name: 'no reason phrase',
    sends: `HTTP/1.1 404\r\n${REST}`,
    must: 'pass it on',
    ours: `404, length ${BODY.length}, ${BODY}`,
  },
  {
    name: 'Latin-1 in a value',
    sends: `HTTP/1.1 200 OK\r\nX-Name: Jos\u00e9\r\n${REST}`,
    must: 'pass it on',
    ours: OK,
  },
  {
    name: 'a status nobody knows',
    sends: `HTTP/1.1 799 Odd\r\n${REST}`,
    must: 'pass it on',
    ours: `799 Odd, length ${BODY.length}, ${BODY}`,
  },
  {
    name: '100 Continue that nobody waits for',
    sends: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${REST}`,
    must: 'ignore it',
    ours: OK,
  },
  {
    name: 'three of 100 Continue and a 102',
    sends: `${'HTTP/1.1 100 Continue\r\nX-A: b\r\n\r\n'.repeat(3)}HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\n${REST}`,
    must: 'ignore them',
    ours: OK,
  },
  {
    name: '101 without an upgrade',
    sends: `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
    must: '502',
    ours: NO_HTTP,
  },
  { name: 'no HTTP', sends: `SSH-2.0-OpenSSH_9.2\r\n\r\n`, must: '502', ours: NO_HTTP },
  { name: 'RTSP', sends: `RTSP/1.0 200 OK\r\n${REST}`, must: '502', ours: NO_HTTP },
  { name: 'ICE', sends: `ICE/1.0 200 OK\r\n${REST}`, must: '502', ours: NO_HTTP },
  { name: 'HTTP/2.0', sends: `HTTP/2.0 200 OK\r\n${REST}`, must: '502, or pass it on', ours: OK },
  {
    name: 'a status of two digits',
    sends: `HTTP/1.1 20 OK\r\n${REST}`,
    must: '502',
    ours: NO_HTTP,
  },
  { name: 'a status below 100', sends: `HTTP/1.1 099 OK\r\n${REST}`, must: '502', ours: NO_HTTP },
  {
    name: 'a coding nobody asked for',
    sends: `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${CHUNKS}0\r\n\r\n`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'blanks around the coding',
    sends: `HTTP/1.1 200 OK\r\nTransfer-Encoding:  chunked \r\n\r\n${CHUNKS}0\r\n\r\n`,
    must: 'read the chunks',
    ours: `200 OK, chunked, ${BODY}`,
  },
  {
    name: 'Content-Length beside Transfer-Encoding',
    sends: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${LENGTH}\r\n\r\n${CHUNKS}0\r\n\r\n`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'two Content-Lengths that differ',
    sends: `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n${REST}`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'a Content-Length that is no number',
    sends: `HTTP/1.1 200 OK\r\nContent-Length: 9x\r\n\r\n${BODY}`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'a NUL in a value',
    sends: `HTTP/1.1 200 OK\r\nX-A: b\0c\r\n${REST}`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'a header without a colon',
    sends: `HTTP/1.1 200 OK\r\nX-A\r\n${REST}`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'more after the answer',
    sends: `HTTP/1.1 200 OK\r\n${REST}${NEXT.replace('next', 'evil')}`,
    must: 'the answer alone',
    ours: OK,
  },
  {
    name: '204 with a body',
    sends: `HTTP/1.1 204 No Content\r\n${LENGTH}\r\n\r\n${BODY}`,
    must: 'the answer, without the body',
    ours: '204 No Content, no length, no body',
  },
];

function odd(): Case[] {
  return ODD.flatMap(({ name, sends, must, ours }) =>
    (['GET', 'POST'] as const).map((method) => ({
      group: 'Odd answers',
      name: `${method}: ${name}`,
      must,
      ours,
      run: async (target: Target) =>
        (
          await answerOf(target, {
            method,
            reply: (_request, socket) => {
              socket.write(sends, 'latin1');
            },
          })
        ).replace(/length \d+, a problem/, 'length, a problem'),
    })),
  );
}

/** What upstreams may answer, in every way that they may say it. */
export const answerCases: readonly Case[] = [...tableOf(isDocumented), ...odd()];
