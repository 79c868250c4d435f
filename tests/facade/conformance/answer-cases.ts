import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import type { Case } from './case.ts';
import type { Reply } from './raw-upstream.ts';
import { readAnswer } from './read-answer.ts';
import type { Target } from './target.ts';

const METHODS = ['GET', 'HEAD', 'POST'] as const;
const BODY = 'some text';
const NEXT = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext';

/** A way to say where a body ends. */
interface Framing {
  readonly name: string;
  readonly fields: readonly string[];
  /** The body as it is sent, where the method and the status allow one. */
  readonly content: string;
  readonly closes?: boolean;
  /** What the client is told of the length, by an answer with a body. */
  readonly told: string;
}

const length = `Content-Length: ${BODY.length}`;
const chunks = `${BODY.length}\r\n${BODY}\r\n`;

const FRAMINGS: readonly Framing[] = [
  { name: 'a Content-Length', fields: [length], content: BODY, told: `length ${BODY.length}` },
  { name: 'Content-Length: 0', fields: ['Content-Length: 0'], content: '', told: 'length 0' },
  {
    name: 'chunks',
    fields: ['Transfer-Encoding: chunked'],
    content: `${chunks}0\r\n\r\n`,
    told: 'chunked',
  },
  {
    name: 'chunks and a trailer',
    fields: ['Trailer: X-Sum', 'Transfer-Encoding: chunked'],
    content: `${chunks}0\r\nX-Sum: 7\r\n\r\n`,
    told: 'chunked',
  },
  {
    name: 'a Content-Length and Trailer',
    fields: ['Trailer: X-Sum', length],
    content: BODY,
    told: `length ${BODY.length}`,
  },
  {
    name: 'the end of the connection',
    fields: ['Connection: close'],
    content: BODY,
    closes: true,
    told: 'chunked',
  },
];

/** By status, the framings that RFC 9110 and 9112 allow beside it, and those that are seen all the same. */
const STATUSES: Readonly<Record<number, (framing: Framing) => boolean>> = {
  200: () => true,
  // No Transfer-Encoding; a length is forbidden, and sent by many.
  204: ({ fields, closes }) => closes === true || !fields.some((field) => /^transfer/i.test(field)),
  // Nothing in it: its framing has to say so.
  205: ({ name }) => name === 'Content-Length: 0',
  206: () => true,
  304: () => true,
  404: () => true,
};

function mayHaveBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304;
}

interface Asked {
  readonly method: string;
  readonly reply: Reply;
}

/** Asks, and asks again on the same connection. @returns what came, the same by both kinds of route */
async function answerOf(target: Target, { method, reply }: Asked): Promise<string> {
  const passed = await askOne(target, '/answer', method, reply);
  const owned = await askOne(target, '/api/stock', method, reply);
  return passed === owned || target.name === 'nginx'
    ? passed
    : `${passed} (of a capability: ${owned})`;
}

async function askOne(
  { name, port, upstream }: Target,
  path: string,
  method: string,
  reply: Reply,
): Promise<string> {
  upstream.reset();
  upstream.reply = (request, socket) => {
    if (request.target === '/next') socket.write(NEXT);
    else reply(request, socket);
  };
  const client = new RawClient(port);
  try {
    const more = method === 'POST' ? 'Content-Length: 0\r\n\r\n' : '\r\n';
    client.send(`${method} ${path} HTTP/1.1`, 'Host: fig', more);
    client.send('GET /next HTTP/1.1', 'Host: fig', '', '');
    await eventually(
      () =>
        client.ending !== undefined ||
        readAnswer(client.text, method)?.rest.endsWith('next') === true,
      // Of nginx no more is told than what it does at once.
      { timeoutMs: name === 'nginx' ? 300 : 5_000, intervalMs: 2 },
    ).catch(() => undefined);
    return told(client, method);
  } finally {
    client.close();
  }
}

function told(client: RawClient, method: string): string {
  const answer = readAnswer(client.text, method);
  if (!answer) return client.text === '' ? 'nothing' : 'part of an answer';
  const { status, reason, body, framing, trailers, rest } = answer;
  const text = /^[{<]/.test(body) ? 'a problem' : body;
  return [
    `${status} ${reason}`.trim(),
    framing,
    text === '' ? 'no body' : text,
    ...(trailers === '' ? [] : [`trailer ${trailers}`]),
    ...(rest.endsWith('next') ? [] : ['then no more']),
  ].join(', ');
}

const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  205: 'Reset Content',
  206: 'Partial Content',
  304: 'Not Modified',
  404: 'Not Found',
};

function matrix(): Case[] {
  return METHODS.flatMap((method) =>
    Object.keys(STATUSES).flatMap((key) => {
      const status = Number(key);
      return FRAMINGS.filter((framing) => STATUSES[status]?.(framing)).map((framing) => {
        const hasBody = mayHaveBody(method, status);
        const { fields, content, closes } = framing;
        const reply: Reply = (_request, socket) => {
          const head = [`HTTP/1.1 ${status} ${PHRASES[status]}`, ...fields, '', ''].join('\r\n');
          const text = hasBody ? head + content : head;
          if (closes) socket.end(text);
          else socket.write(text);
        };
        const announced =
          framing.told.startsWith('length') && status !== 204 ? framing.told : 'no length';
        const body = content === '' ? 'no body' : BODY;
        const seen = hasBody
          ? `${framing.told}, ${body}${/X-Sum: 7/.test(content) ? ', trailer X-Sum: 7' : ''}`
          : `${announced}, no body`;
        return {
          group: 'Where an answer ends',
          name: `${method}, ${status}, ${framing.name}`,
          must: hasBody ? 'whole, then the next answer' : 'no body, then the next answer',
          ours: `${status} ${PHRASES[status]}, ${seen}`,
          run: (target: Target) => answerOf(target, { method, reply }),
        };
      });
    }),
  );
}

interface OddAnswer {
  readonly name: string;
  /** The upstream's bytes. */
  readonly sends: string;
  readonly must: string;
  readonly ours: string;
}

const REST = `${length}\r\n\r\n${BODY}`;
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
    sends: `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n${chunks}0\r\n\r\n`,
    must: '502',
    ours: NO_HTTP,
  },
  {
    name: 'Content-Length beside Transfer-Encoding',
    sends: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${length}\r\n\r\n${chunks}0\r\n\r\n`,
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
    sends: `HTTP/1.1 204 No Content\r\n${length}\r\n\r\n${BODY}`,
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
export const answerCases: readonly Case[] = [...matrix(), ...odd()];
