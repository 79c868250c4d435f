import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import type { ServerLocation } from '../../chassis/index.ts';
import { MalformedAnswer, responseHeaders } from '../request/index.ts';
import type { Exchange } from './exchange.ts';

/** What an exchange hears of a request to upgrade, beside what it hears of any. */
export interface UpgradeExchange extends Exchange {
  /** The upstream has agreed; `socket` is the connection to it. */
  onUpgrade(socket: Duplex): void;
}

interface Passage {
  /** The process that is asked. */
  readonly location: ServerLocation;
  /** Path and query, in the form that was decided on. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly exchange: UpgradeExchange;
}

/** What node's request has beside its public side: the head as a list, with each line as it came. */
interface RawRequest {
  _storeHeader(firstLine: string, headers: readonly string[]): void;
}

/** A connection that was not there in time, under undici's code: both count as the same cause. */
class ConnectTimedOut extends Error {
  readonly code = 'UND_ERR_CONNECT_TIMEOUT';
}

type Answer = IncomingMessage & { upgrade?: boolean };

const CONNECT_TIMEOUT_MS = 2_000;
const HANDSHAKE = ['connection', 'Upgrade', 'upgrade', 'websocket'];
const FRAMING = /^(?:content-length|transfer-encoding|trailer)$/i;
const NOTHING = Buffer.alloc(0);
const passages = new WeakMap<IncomingMessage, Passage>();

/**
 * http-proxy-middleware asks the upstream, answers an agreement, and connects the two sockets. What
 * it would say of its own is replaced: the head of the request by the canonical one, and any other
 * answer than an agreement, which it would send with a chunked head and a body that is not.
 */
const proxy = createProxyMiddleware({
  ws: true,
  pathFilter: () => true,
  router: (req) => {
    const { host, port, secure, connect } = passageOf(req).location;
    return { host, port, protocol: secure ? 'https:' : 'http:', ...connect };
  },
  on: {
    proxyReqWs: (request, req) => follow(request, passageOf(req)),
    error: (error, req) => passages.get(req)?.exchange.onError(error),
  },
});

/**
 * Takes a request for a WebSocket to an upstream, and tells the exchange what comes of it. Where the
 * upstream agrees, both connections become one after `onUpgrade`.
 */
export function proxyWebSocket(req: IncomingMessage, socket: Duplex, passage: Passage): void {
  passages.set(req, passage);
  // Nothing goes on as the client wrote it: an Expect would send such a head before ours.
  req.headers = { connection: 'Upgrade', upgrade: 'websocket' };
  // What an upstream says is passed on byte by byte.
  socket.setDefaultEncoding('latin1');
  proxy.upgrade(req, socket as Socket, NOTHING);
}

function passageOf(req: IncomingMessage): Passage {
  return passages.get(req) as Passage;
}

function follow(request: ClientRequest, { location, target, headers, exchange }: Passage): void {
  const { host } = new URL(location.url);
  const firstLine = `GET ${location.prefix}${target} HTTP/1.1\r\n`;
  // By its public methods node would write two lines of Cookie as one.
  (request as unknown as RawRequest)._storeHeader(firstLine, [
    'host',
    host,
    ...HANDSHAKE,
    ...headers,
  ]);
  // All lines of an answer are passed on: node drops what is over its limit without a word.
  request.maxHeadersCount = 0;
  followConnection(request, location, exchange);
  request.on('information', ({ statusCode, rawHeaders }) => {
    exchange.onHeaders(statusCode, asBuffers(rawHeaders), () => undefined, '');
  });
  // The library leaves an answer alone that it takes for an upgrade, which node must not.
  request.prependListener('response', (res: Answer) => (res.upgrade = true));
  request.once('socket', () => {
    request.on('response', (res: Answer) => {
      res.upgrade = false;
      passOn(res, exchange);
    });
  });
  request.prependListener('upgrade', (res: IncomingMessage, socket: Socket) => {
    res.headers = agreement(res.rawHeaders);
    exchange.onUpgrade(socket);
  });
  refuseOtherProtocols(request, exchange);
}

/** The client has asked for a WebSocket: it is not told of one that speaks another protocol. */
function refuseOtherProtocols(request: ClientRequest, exchange: UpgradeExchange): void {
  const emit = request.emit.bind(request) as (event: string, ...args: unknown[]) => boolean;
  // The library listens, too, and a listener can't keep an event from the others.
  request.emit = (event: string, ...args: unknown[]): boolean => {
    if (event !== 'upgrade') return emit(event, ...args);
    const [res, socket] = args as [IncomingMessage, Socket];
    const protocol = res.headers.upgrade ?? '';
    if (protocol.toLowerCase() === 'websocket') return emit(event, ...args);
    socket.destroy();
    exchange.onError(
      new MalformedAnswer(`an agreement to ${JSON.stringify(protocol)}, not websocket`),
    );
    return true;
  };
}

/** The exchange can call it off once it is connected; until then the time is bounded here. */
function followConnection(
  request: ClientRequest,
  { secure }: ServerLocation,
  exchange: UpgradeExchange,
): void {
  request.once('socket', (socket) => {
    const giveUp = (): unknown => request.destroy(new ConnectTimedOut('connecting took too long'));
    socket.setTimeout(CONNECT_TIMEOUT_MS, giveUp);
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.setTimeout(0);
      exchange.onConnect(() => request.destroy(), false);
    });
  });
}

function passOn(res: IncomingMessage, exchange: UpgradeExchange): void {
  const { statusCode = 0, statusMessage = '', rawHeaders } = res;
  exchange.onHeaders(statusCode, asBuffers(rawHeaders), () => res.resume(), statusMessage);
  res.on('data', (chunk: Buffer) => {
    if (!exchange.onData(chunk)) res.pause();
  });
  res.on('end', () => exchange.onComplete(res.rawTrailers));
  res.on('error', (error) => exchange.onError(error));
}

/** The head of an agreement: by name, each with its lines. What follows it has no framing. */
function agreement(raw: readonly string[]): IncomingMessage['headers'] {
  const framed = raw.filter((_text, at) => !FRAMING.test(raw[at - (at % 2)] as string));
  const { fields } = responseHeaders(asBuffers(framed), 101, false);
  const lines = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] as string;
    const value = fields[index + 1] as string;
    const known = lines.get(name.toLowerCase());
    if (known) known.values.push(value);
    else lines.set(name.toLowerCase(), { name, values: [value] });
  }
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    ...Object.fromEntries([...lines.values()].map(({ name, values }) => [name, values])),
  };
}

function asBuffers(texts: readonly string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text, 'latin1'));
}
