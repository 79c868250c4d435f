import { bytesCases } from './case.ts';
import type { Case } from './case.ts';

const line = (text: string, ...headers: string[]): string =>
  [text, 'Host: fig', ...headers, '', ''].join('\r\n');
const get = (target: string): string => line(`GET ${target} HTTP/1.1`);

const REFUSE = 'refuse, send nothing on';
const REFUSED = '400; upstream: nothing';
const BROKEN = '400, closed; upstream: nothing';
const ONE_FORM = 'one form, or refuse';

/** Whom a request is for: where two servers disagree, somebody gets past a rule. */
export const targetCases: readonly Case[] = bytesCases('Target and host', [
  { name: 'two Hosts', sends: line('GET / HTTP/1.1', 'Host: other'), must: REFUSE, ours: REFUSED },
  { name: 'no Host', sends: 'GET / HTTP/1.1\r\n\r\n', must: REFUSE, ours: BROKEN },
  {
    name: 'a Host with a path',
    sends: 'GET / HTTP/1.1\r\nHost: fig/x\r\n\r\n',
    must: REFUSE,
    ours: REFUSED,
  },
  {
    name: 'a Host with a user',
    sends: 'GET / HTTP/1.1\r\nHost: a@fig\r\n\r\n',
    must: REFUSE,
    ours: REFUSED,
  },
  { name: 'an absolute target', sends: get('http://other/x'), must: REFUSE, ours: REFUSED },
  { name: 'an absolute target without //', sends: get('http:other'), must: REFUSE, ours: BROKEN },
  { name: 'a target without /', sends: get('x'), must: REFUSE, ours: BROKEN },
  { name: 'a fragment', sends: get('/a#b'), must: REFUSE, ours: REFUSED },
  { name: 'a backslash', sends: get('/a\\b'), must: REFUSE, ours: REFUSED },
  { name: 'a backslash first', sends: get('\\a'), must: REFUSE, ours: BROKEN },
  { name: 'a NUL', sends: get('/a\0b'), must: REFUSE, ours: BROKEN },
  { name: 'an encoded NUL', sends: get('/a%00b'), must: REFUSE, ours: REFUSED },
  { name: 'a tab', sends: get('/a\tb'), must: REFUSE, ours: BROKEN },
  { name: 'a space', sends: get('/a b'), must: REFUSE, ours: BROKEN },
  { name: 'an encoded slash', sends: get('/api%2fstock'), must: REFUSE, ours: REFUSED },
  { name: 'an encoded backslash', sends: get('/api%5Cstock'), must: REFUSE, ours: REFUSED },
  { name: 'a malformed escape', sends: get('/a%zz'), must: REFUSE, ours: REFUSED },
  { name: 'a cut-off escape', sends: get('/a%4'), must: REFUSE, ours: REFUSED },
  { name: 'an escape of another kind', sends: get('/a%u002f'), must: REFUSE, ours: REFUSED },
  { name: 'raw UTF-8', sends: get('/caf\u00c3\u00a9'), must: REFUSE, ours: BROKEN },
  { name: '..', sends: get('/x/../api/stock'), must: ONE_FORM, ours: REFUSED },
  { name: '.. above the root', sends: get('/../../etc'), must: ONE_FORM, ours: REFUSED },
  { name: '%2e%2e', sends: get('/x/%2e%2E/api/stock'), must: ONE_FORM, ours: REFUSED },
  { name: '.%2e', sends: get('/x/.%2e/api/stock'), must: ONE_FORM, ours: REFUSED },
  { name: '..;x', sends: get('/x/..;x/api/stock'), must: ONE_FORM, ours: REFUSED },
  { name: '.', sends: get('/./api/stock'), must: ONE_FORM, ours: REFUSED },
  {
    name: '//',
    sends: get('//api//stock'),
    must: ONE_FORM,
    ours: '200; upstream: GET /api/stock',
  },
  {
    name: 'letters that need no escape',
    sends: get('/%61pi/st%6Fck'),
    must: ONE_FORM,
    ours: '200; upstream: GET /api/stock',
  },
  {
    name: 'escapes in lower case',
    sends: get('/caf%c3%a9'),
    must: ONE_FORM,
    ours: '200; upstream: GET /caf%C3%A9',
  },
  {
    name: 'a query',
    sends: get('/a?b=%2F..%2f&c=//d'),
    must: 'leave it alone',
    ours: '200; upstream: GET /a?b=%2F..%2f&c=//d',
  },
  {
    name: 'a target of 15,000 characters',
    sends: get(`/${'a'.repeat(15_000)}`),
    must: 'accept or 414 or 431',
    ours: `200; upstream: GET /${'a'.repeat(15_000)}`,
  },
]).map((each) => ({
  ...each,
  run: async (target) => shortened(await each.run(target)),
  ours: shortened(each.ours),
}));

function shortened(text: string): string {
  return text.replace(/a{50,}/, 'aaa…');
}

/** Methods, versions and sizes. */
export const limitCases: readonly Case[] = bytesCases('Methods and limits', [
  {
    name: 'TRACE',
    sends: line('TRACE / HTTP/1.1'),
    must: '405',
    ours: '405; upstream: nothing',
  },
  {
    name: 'CONNECT',
    sends: line('CONNECT other:443 HTTP/1.1'),
    must: '405',
    ours: '405, closed; upstream: nothing',
  },
  {
    name: 'a method nobody knows',
    sends: line('GRAB / HTTP/1.1'),
    must: 'refuse, or pass it on',
    ours: BROKEN,
  },
  {
    name: 'a method in lower case',
    sends: line('get / HTTP/1.1'),
    must: 'refuse, or pass it on',
    ours: BROKEN,
  },
  { name: 'HTTP/0.9', sends: 'GET /\r\n', must: REFUSE, ours: '408, closed; upstream: nothing' },
  {
    name: 'HTTP/2.0 in a request line',
    sends: line('GET / HTTP/2.0'),
    must: REFUSE,
    ours: '505, closed; upstream: nothing',
  },
  {
    name: 'HTTP/1.2',
    sends: line('GET / HTTP/1.2'),
    must: 'refuse, or take for 1.1',
    ours: BROKEN,
  },
  { name: 'a version that is none', sends: line('GET / HTTQ/1.1'), must: REFUSE, ours: BROKEN },
  {
    name: 'two spaces in the request line',
    sends: line('GET  / HTTP/1.1'),
    must: ONE_FORM,
    ours: '200; upstream: GET /',
  },
  {
    name: 'HTTP/1.0',
    sends: 'GET /api/stock HTTP/1.0\r\nHost: fig\r\n\r\n',
    must: 'accept, close',
    ours: '200, closed; upstream: GET /api/stock',
  },
  {
    name: 'headers over 16 KB',
    sends: line('GET / HTTP/1.1', `X-A: ${'a'.repeat(17_000)}`),
    must: '431 (or 400)',
    ours: '431, closed; upstream: nothing',
  },
  {
    name: 'a thousand headers',
    sends: line(
      'GET / HTTP/1.1',
      ...Array.from({ length: 1_000 }, (_unused, index) => `X-${index}: ${'b'.repeat(12)}`),
    ),
    must: '431 (or 400)',
    ours: '431, closed; upstream: nothing',
  },
  {
    name: 'a thousand and one header lines',
    sends: line('GET / HTTP/1.1', ...Array.from({ length: 1_000 }, () => 'a:')),
    must: '431 (or 400)',
    ours: '431; upstream: nothing',
  },
  {
    name: 'headers that never end',
    sends: 'GET / HTTP/1.1\r\nHost: fig\r\nX-A',
    must: 'cut it off in time',
    ours: '408, closed; upstream: nothing',
  },
  {
    name: 'an unknown expectation',
    sends: line('GET / HTTP/1.1', 'Expect: the-unexpected'),
    must: '417, or ignore it',
    ours: '417; upstream: nothing',
  },
  {
    name: 'an upgrade to something unknown',
    sends: line('GET /api/stock HTTP/1.1', 'Connection: Upgrade', 'Upgrade: tftp'),
    must: 'ignore it',
    ours: '200; upstream: GET /api/stock',
  },
]);
