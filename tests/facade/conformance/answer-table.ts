import { STATUS_CODES } from 'node:http';
import { eventually } from '../../support/index.ts';
import { RawClient } from '../raw-client.ts';
import type { Case } from './case.ts';
import type { Reply } from './raw-upstream.ts';
import { readAnswer } from './read-answer.ts';
import type { Target } from './target.ts';

export const BODY = 'some text';
export const NEXT = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext';
export const LENGTH = `Content-Length: ${BODY.length}`;
export const CHUNKS = `${BODY.length}\r\n${BODY}\r\n`;

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

const FRAMINGS: readonly Framing[] = [
  { name: 'a Content-Length', fields: [LENGTH], content: BODY, told: `length ${BODY.length}` },
  { name: 'Content-Length: 0', fields: ['Content-Length: 0'], content: '', told: 'length 0' },
  {
    name: 'chunks',
    fields: ['Transfer-Encoding: chunked'],
    content: `${CHUNKS}0\r\n\r\n`,
    told: 'chunked',
  },
  {
    name: 'chunks and a trailer',
    fields: ['Trailer: X-Sum', 'Transfer-Encoding: chunked'],
    content: `${CHUNKS}0\r\nX-Sum: 7\r\n\r\n`,
    told: 'chunked',
  },
  {
    name: 'a Content-Length and Trailer',
    fields: ['Trailer: X-Sum', LENGTH],
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
  { name: 'nothing but the end', fields: [], content: BODY, closes: true, told: 'chunked' },
];

/** An answer of an upstream, but for its content. */
interface Answer {
  readonly method: string;
  readonly status: number;
  readonly framing: Framing;
  readonly version: '1.0' | '1.1';
  /** The status of an interim answer before it. */
  readonly interim?: number;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
const STATUSES = [200, 201, 204, 205, 206, 301, 304, 400, 404, 410, 421, 500, 503];
const INTERIM = [100, 102, 103];

/** What RFC 9110 and 9112 allow, and what is seen all the same. */
function isPossible({ status, framing, version }: Answer): boolean {
  const isChunked = framing.told === 'chunked' && framing.closes !== true;
  // No Transfer-Encoding; a length is forbidden, and sent by many.
  if (status === 204 && isChunked) return false;
  // Nothing in it: its framing has to say so.
  if (status === 205) return framing.name === 'Content-Length: 0';
  return !(version === '1.0' && isChunked);
}

/** All answers of the table. */
function answers(): readonly Answer[] {
  const finals = METHODS.flatMap((method) =>
    STATUSES.flatMap((status) =>
      FRAMINGS.flatMap((framing) =>
        (['1.1', '1.0'] as const).map((version) => ({ method, status, framing, version })),
      ),
    ),
  );
  const after = INTERIM.flatMap((interim) =>
    finals
      .filter(({ status, version }) => status === 200 && version === '1.1')
      .map((final) => ({ ...final, interim })),
  );
  return [...finals, ...after].filter(isPossible);
}

const DOCUMENTED = {
  methods: ['GET', 'HEAD', 'POST'],
  statuses: [200, 204, 205, 206, 304, 404],
};

/** Whether the page tells of it: the rest of the table shows nothing that these do not. */
export function isDocumented({ method, status, framing, version, interim }: Answer): boolean {
  const { methods, statuses } = DOCUMENTED;
  if (version === '1.0' || interim !== undefined || framing.fields.length === 0) return false;
  return methods.includes(method) && statuses.includes(status);
}

/** The cases that the page does not tell of. */
export const moreAnswers = (): readonly Case[] => tableOf((answer) => !isDocumented(answer));

/** The cases of the table, or those of them that are picked. */
export function tableOf(pick: (answer: Answer) => boolean = () => true): readonly Case[] {
  return answers().filter(pick).map(caseOf);
}

function caseOf(answer: Answer): Case {
  const { method, status, framing, version, interim } = answer;
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
  const { fields, content, closes = version === '1.0', told } = framing;
  const phrase = STATUS_CODES[status] ?? '';
  const reply: Reply = (_request, socket) => {
    const before = interim === undefined ? '' : `HTTP/1.1 ${interim} Wait\r\n\r\n`;
    const head = [`HTTP/${version} ${status} ${phrase}`, ...fields, '', ''].join('\r\n');
    const text = before + (hasBody ? head + content : head);
    if (closes) socket.end(text);
    else socket.write(text);
  };
  const announced = told.startsWith('length') && status !== 204 ? told : 'no length';
  const trailer = content.includes('X-Sum: 7') ? ', trailer X-Sum: 7' : '';
  const seen = hasBody
    ? `${told}, ${content === '' ? 'no body' : BODY}${trailer}`
    : `${announced}, no body`;
  return {
    group: 'Where an answer ends',
    name: [
      `${method}, ${status}, ${framing.name}`,
      ...(version === '1.0' ? ['of HTTP/1.0'] : []),
      ...(interim === undefined ? [] : [`after ${interim}`]),
    ].join(', '),
    // Most versions of nginx know none.
    oursOnly: interim !== undefined,
    must: hasBody ? 'whole, then the next answer' : 'no body, then the next answer',
    ours: `${status} ${phrase}, ${seen}`,
    run: (target: Target) => answerOf(target, { method, reply }),
  };
}

interface Asked {
  readonly method: string;
  readonly reply: Reply;
}

/** Asks, and asks again on the same connection. @returns what came, the same by both kinds of route */
export async function answerOf(target: Target, { method, reply }: Asked): Promise<string> {
  const passed = await askOne(target, '/answer', method, reply);
  if (target.name === 'nginx') return passed;
  const owned = await askOne(target, '/api/stock', method, reply);
  return passed === owned ? passed : `${passed} (of a capability: ${owned})`;
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
    const more = WITH_BODY.has(method) ? 'Content-Length: 0\r\n\r\n' : '\r\n';
    client.send(`${method} ${path} HTTP/1.1`, 'Host: fig', more);
    client.send('GET /next HTTP/1.1', 'Host: fig', '', '');
    await eventually(
      () =>
        client.ending !== undefined ||
        readAnswer(client.text, method)?.rest.endsWith('next') === true,
      // Of nginx no more is told than what it does at once.
      { timeoutMs: name === 'nginx' ? 300 : 5_000, intervalMs: 2 },
    ).catch(() => undefined);
    return shown(client, method);
  } finally {
    client.close();
  }
}

function shown(client: RawClient, method: string): string {
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
