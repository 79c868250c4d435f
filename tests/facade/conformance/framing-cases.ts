import { bytesCases } from './case.ts';
import type { Case } from './case.ts';

const post = (...headers: string[]): string =>
  ['POST /api/stock HTTP/1.1', 'Host: fig', ...headers, '', ''].join('\r\n');
const get = (...headers: string[]): string =>
  ['GET /api/stock HTTP/1.1', 'Host: fig', ...headers, '', ''].join('\r\n');

const REFUSE = 'refuse, send nothing on';
const REFUSED = '400, closed; upstream: nothing';

/** A request inside the body of another. */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: fig\r\n\r\n';
const HIDDEN_CHUNK = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
const chunked = (method: string): string =>
  `${method} /api/stock HTTP/1.1\r\nHost: fig\r\nTransfer-Encoding: chunked\r\n\r\n${HIDDEN_CHUNK}`;

/** How long a message is: where two servers disagree, one client speaks with another's voice. */
export const framingCases: readonly Case[] = bytesCases('Framing', [
  {
    name: 'Content-Length and Transfer-Encoding',
    sends: `${post('Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Transfer-Encoding and Content-Length, the other way round',
    sends: `${post('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'two Content-Lengths that differ',
    sends: `${post('Content-Length: 1', 'Content-Length: 2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'two Content-Lengths that agree',
    sends: `${post('Content-Length: 2', 'Content-Length: 2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a list as Content-Length',
    sends: `${post('Content-Length: 2, 2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Content-Length: +2',
    sends: `${post('Content-Length: +2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Content-Length: -2',
    sends: `${post('Content-Length: -2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Content-Length: 0x2',
    sends: `${post('Content-Length: 0x2')}ab`,
    must: REFUSE,
    ours: REFUSED,
  },
  { name: 'an empty Content-Length', sends: post('Content-Length:'), must: REFUSE, ours: REFUSED },
  {
    name: 'Transfer-Encoding: xchunked',
    sends: `${post('Transfer-Encoding: xchunked')}0\r\n\r\n`,
    must: REFUSE,
    ours: '501, closed; upstream: nothing',
  },
  {
    name: 'Transfer-Encoding: chunked, identity',
    sends: `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Transfer-Encoding: gzip, chunked',
    sends: `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    must: 'refuse, or decode it',
    ours: '501, closed; upstream: nothing',
  },
  {
    name: 'two Transfer-Encodings',
    sends: `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    sends: 'POST /api/stock HTTP/1.0\r\nHost: fig\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a chunk size with 0x',
    sends: `${post('Transfer-Encoding: chunked')}0x2\r\nab\r\n0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a chunk size below zero',
    sends: `${post('Transfer-Encoding: chunked')}-2\r\nab\r\n0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a chunk size of 17 digits',
    sends: `${post('Transfer-Encoding: chunked')}10000000000000002\r\nab\r\n0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a chunk longer than its size',
    sends: `${post('Transfer-Encoding: chunked')}1\r\nabc\r\n0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'chunks that end with bare line feeds',
    sends: `${post('Transfer-Encoding: chunked')}2\nab\n0\n\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'chunk extensions',
    sends: `${post('Transfer-Encoding: chunked')}2;a="b"\r\nab\r\n0\r\n\r\n`,
    must: 'accept, drop them',
    ours: '200; upstream: POST /api/stock',
  },
  { name: 'bare line feeds', sends: 'GET / HTTP/1.1\nHost: fig\n\n', must: REFUSE, ours: REFUSED },
  {
    name: 'a bare line feed after one header',
    sends: 'GET / HTTP/1.1\r\nHost: fig\nX-A: b\r\n\r\n',
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a bare carriage return in a header',
    sends: get('X-A: b\rX-C: d'),
    must: REFUSE,
    ours: REFUSED,
  },
  { name: 'a folded header', sends: get('X-A: b', ' c'), must: REFUSE, ours: REFUSED },
  {
    name: 'a folded first header',
    sends: 'GET / HTTP/1.1\r\n Host: fig\r\n\r\n',
    must: REFUSE,
    ours: REFUSED,
  },
  { name: 'a space before the colon', sends: get('X-A : b'), must: REFUSE, ours: REFUSED },
  {
    name: 'a space before the colon of Transfer-Encoding',
    sends: `${post('Transfer-Encoding : chunked')}0\r\n\r\n`,
    must: REFUSE,
    ours: REFUSED,
  },
  { name: 'a header without a colon', sends: get('X-A'), must: REFUSE, ours: REFUSED },
  { name: 'a header without a name', sends: get(': b'), must: REFUSE, ours: REFUSED },
  { name: 'a NUL in a header', sends: get('X-A: b\0c'), must: REFUSE, ours: REFUSED },
  {
    name: 'a chunked DELETE that carries a request',
    sends: chunked('DELETE'),
    must: 'one request, with its body',
    ours: '200; upstream: DELETE /api/stock',
  },
  {
    name: 'a chunked OPTIONS that carries a request',
    sends: chunked('OPTIONS'),
    must: 'one request, with its body',
    ours: '200; upstream: OPTIONS /api/stock',
  },
  {
    name: 'a chunked GET that carries a request',
    sends: chunked('GET'),
    must: 'one request, with its body',
    ours: '200; upstream: GET /api/stock',
  },
  {
    name: 'a GET with a Content-Length that carries a request',
    sends: get(`Content-Length: ${HIDDEN.length}`) + HIDDEN,
    must: 'one request, with its body',
    ours: '200; upstream: GET /api/stock',
  },
  {
    name: 'a chunked HEAD that carries a request',
    sends: chunked('HEAD'),
    must: 'one request, with its body',
    ours: '200; upstream: HEAD /api/stock',
    reply: (_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    },
  },
  {
    name: 'empty lines before a request',
    sends: `\r\n\r\n${get()}`,
    must: 'accept',
    ours: '200; upstream: GET /api/stock',
  },
  {
    name: 'two requests at once',
    sends: get() + get(),
    must: 'two requests, answered in order',
    ours: '200 200; upstream: GET /api/stock and GET /api/stock',
    answers: 2,
  },
]);
