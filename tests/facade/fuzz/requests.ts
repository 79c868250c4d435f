import * as fc from 'fast-check';

/** A request as it is meant. */
export interface Meaning {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** One request or two on one connection, as bytes in latin1. */
export interface Fuzzed {
  readonly bytes: string;
  /** What they say, one after the other, where nothing in them is wrong or doubtful. */
  readonly means: readonly Meaning[] | null;
}

/** What clients say of themselves that is for the facade alone to say. */
export const FORGED = 'forged';
/** A header that a client names in Connection: it is for the facade, and for nobody behind it. */
export const HOP = 'x-hop';

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const ODD_METHODS = ['TRACE', 'CONNECT', 'get', 'GRAB', 'G ET', '', 'PRI', 'PROPFIND', 'QUERY'];

const SEGMENTS = [
  'api',
  'stock',
  'API',
  'Stock',
  'stock-admin',
  'a',
  '7',
  '~x',
  'a.b',
  'a;b=c',
  'caf%C3%A9',
  '%61pi',
  'st%6Fck',
];
const ODD_SEGMENTS = [
  '..',
  '.',
  '',
  '%2e%2e',
  '%2E',
  '..;x',
  'a%2fb',
  'a%5cb',
  'a\\b',
  '%00',
  '%zz',
  '%',
  'a#b',
  'caf\u00e9',
  'a b',
  '\0',
  '"<>',
  '{x}',
  '%u002f',
  'a|b',
];
const QUERIES = ['', '?', '?a=b', '?a=%2F..&b', '??', '?a=http://x/y'];
const ODD_QUERIES = ['?a#b', '?\u00e9', '?a b', '?\\'];

const HEADERS = [
  'Accept: */*',
  'X-Customer-Id: C1',
  'Idempotency-Key: k1',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'Cookie: a=b; c="d"',
  'X-Long: ' + 'x'.repeat(500),
  `X-Forwarded-For: ${FORGED}`,
  `x-forwarded-PREFIX: ${FORGED}`,
  `x-user-id: ${FORGED}`,
  `X_User-Name: ${FORGED}`,
  `X_Fig_Attempt: ${FORGED}`,
  `X-FIG-Timeout-Ms: ${FORGED}`,
  `X-Real-IP: ${FORGED}`,
  `Forwarded: for=${FORGED}`,
  `X_Customer_Id: ${FORGED}`,
  'Via: 1.0 a',
  'X-Empty:',
  'X-Latin: caf\u00e9',
  'TE: trailers',
  'Keep-Alive: timeout=5',
  `${HOP}: here\r\nConnection: keep-alive, X-Hop`,
  `Connection: ${HOP}\r\nX-Hop: here`,
];
const ODD_HEADERS = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'transfer-encoding: CHUNKED',
  'Transfer_Encoding: chunked',
  'Content-Length: 3',
  'Content-Length: 03',
  'Content-Length: 3, 3',
  'Content-Length: -1',
  'Content-Length : 5',
  'Content_Length: 7',
  'Connection: content-length',
  'Connection: transfer-encoding, close',
  'Connection: upgrade',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'Expect: 100-continue',
  'Expect: x',
  'Host: other',
  ' folded',
  'no colon',
  ': no name',
  'X-Nul: a\0b',
  'X-Cr: a\rb',
  'X-A: b\nX-Lf: c',
  'X-\u00e9: d',
  'X Y: z',
];

const pick = (usual: readonly string[], odd: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );

const target = fc
  .tuple(
    pick(['', '/api/stock'], ['//api//stock', 'http://other', 'api', '*']),
    fc.array(pick(SEGMENTS, ODD_SEGMENTS), { maxLength: 4 }),
    fc.boolean(),
    pick(QUERIES, ODD_QUERIES),
  )
  .map(([base, segments, slash, query]) => {
    const path = base + segments.map((segment) => `/${segment}`).join('') + (slash ? '/' : '');
    return (path === '' ? '/' : path) + query;
  });

/** Bodies that look like what follows a body. */
const body = fc.oneof(
  fc.constant(''),
  fc.constantFrom(
    '{"a":1}',
    'GET /hidden HTTP/1.1\r\nA: b\r\n\r\n',
    '0\r\n\r\n',
    '\r\n\r\n',
    '5\r\nabcde\r\n0\r\n\r\n',
  ),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
);

type Framing = 'none' | 'length' | 'chunked';

function framed(text: string, framing: Framing, cut: number): { header: string[]; sent: string } {
  if (framing === 'none') return { header: [], sent: '' };
  if (framing === 'length') return { header: [`Content-Length: ${text.length}`], sent: text };
  const at = Math.min(cut, text.length);
  const chunks = [text.slice(0, at), text.slice(at)].filter((chunk) => chunk !== '');
  const sent = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
  return { header: ['Transfer-Encoding: chunked'], sent: `${sent}0\r\n\r\n` };
}

const structured = fc
  .record({
    method: pick(METHODS, ODD_METHODS),
    target,
    version: pick(['HTTP/1.1'], ['HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/1.1 ', '']),
    headers: fc.array(pick(HEADERS, ODD_HEADERS), { maxLength: 5 }),
    framing: fc.constantFrom<Framing>('none', 'length', 'chunked'),
    body,
    cut: fc.nat({ max: 60 }),
    close: fc.boolean(),
  })
  .map((parts): Fuzzed => {
    const { header, sent } = framed(parts.body, parts.framing, parts.cut);
    const lines = [
      `${parts.method} ${parts.target} ${parts.version}`,
      'Host: fig',
      ...parts.headers,
      ...header,
      ...(parts.close ? ['Connection: close'] : []),
    ];
    const usual =
      (METHODS as readonly string[]).includes(parts.method) &&
      parts.version === 'HTTP/1.1' &&
      parts.headers.every((each) => HEADERS.includes(each));
    return {
      bytes: `${lines.join('\r\n')}\r\n\r\n${sent}`,
      means: usual
        ? [
            {
              method: parts.method,
              target: parts.target,
              body: parts.framing === 'none' ? '' : parts.body,
            },
          ]
        : null,
    };
  });

/** Bytes that mean something to a parser. */
const TROUBLE = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ';',
  ',',
  '\r\n\r\n',
  '0',
  'f',
  '\u0080',
  '\u00ff',
  '/',
  '%',
  'Content-Length: 1\r\n',
];

const damaged = fc
  .tuple(
    structured,
    fc.array(
      fc.record({
        at: fc.nat({ max: 400 }),
        drop: fc.nat({ max: 3 }),
        put: fc.constantFrom('', ...TROUBLE),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([{ bytes }, damages]): Fuzzed => {
    let text = bytes;
    for (const { at, drop, put } of damages) {
      const place = at % Math.max(1, text.length);
      text = text.slice(0, place) + put + text.slice(place + drop);
    }
    return { bytes: text, means: null };
  });

/** The second is sent before the first is answered. */
const pipelined = fc.tuple(structured, structured).map(([first, second]): Fuzzed => ({
  bytes: first.bytes + second.bytes,
  means: first.means && second.means && [...first.means, ...second.means],
}));

/** Requests as clients send them, with something odd here and there, and some that are damaged. */
export const fuzzedRequest: fc.Arbitrary<Fuzzed> = fc.oneof(
  { weight: 3, arbitrary: structured },
  { weight: 1, arbitrary: pipelined },
  { weight: 1, arbitrary: damaged },
);
