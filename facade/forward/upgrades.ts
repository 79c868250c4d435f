import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Problem, problemBody } from '../../chassis/index.ts';
import type { Counters } from '../counting/index.ts';
import { route } from '../route/index.ts';
import { UpstreamCall } from './upstream-call.ts';
import { clientShare, proxyWebSocket } from '../upstream/index.ts';
import { snapshotOf } from './facade-deps.ts';
import type { FacadeDeps } from './facade-deps.ts';
import { linger } from './lingering.ts';
import { tooManyUpgrades, unanswered } from './refusals.ts';
import type { Sender } from '../upstream/index.ts';
import { headersFor } from './request-context.ts';
import type { RequestContext } from './request-context.ts';

const UPGRADING = new Set(['upgrade', 'http2-settings']);
const WEBSOCKET = 'websocket';
/** What a client may say before it knows that it has been upgraded. */
const EARLY_BYTES = 65_536;

/** Whether a request to upgrade is passed on. Others are ignored. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === WEBSOCKET;
}

/**
 * Takes a request for a WebSocket to an upstream. Where that agrees, the two are connected; any other
 * answer is passed on like every answer.
 * @param head what the client has sent after its request already
 * @throws Problem 400 for one that could be read in two ways, 503 where there are too many
 */
export function upgrade(
  context: RequestContext,
  deps: FacadeDeps,
  socket: Duplex,
  head: Buffer,
): void {
  const { form, match } = context;
  const { counters, limits } = deps;
  // A body would travel on as the first bytes of the other protocol.
  if (form.method !== 'GET' || form.bodyBytes !== 0) {
    throw new Problem(400, 'invalid_upgrade', 'an upgrade must be a GET without a body');
  }
  const place = takePlace(counters, limits, context.client);
  const early = listenEarly(context, socket, head);
  const { to } = route(context, snapshotOf(deps));
  context.answerer = to;
  const upstream = deps.upstreamFor(match, to);
  const onUpgrade = (other: Duplex): void => {
    early.stop();
    context.switched();
    place.isTunnel = true;
    tie(counters, socket, other, place);
  };
  counters.upgrading += 1;
  const attempt = new UpstreamCall(context, { onUpgrade }, (outcome) => {
    counters.upgrading -= 1;
    if (!place.isTunnel) place.leave();
    early.stop();
    if (outcome.kind === 'failed') context.refuse(unanswered(outcome));
  });
  const proxied: Sender = {
    name: upstream.name,
    answered: (status, exchange) => upstream.answered(status, exchange),
    failed: (error, exchange) => upstream.failed(error, exchange),
    left: (exchange) => upstream.left(exchange),
    dispatch: (_method, target, headers) => {
      if (!upstream.admits(attempt)) return;
      const location = upstream.place(attempt);
      proxyWebSocket(context.req, socket, { location, target, headers, exchange: attempt });
    },
  };
  attempt.send(proxied, null, headersFor(upstream, context));
}

/** One of the upgrades that there may be at once. */
interface Place {
  isTunnel: boolean;
  leave(): void;
}

/** @throws Problem 503 where there is none left, or none for this client */
function takePlace(counters: Counters, limits: FacadeDeps['limits'], client: string): Place {
  const { upgrades, clientUpgrades = clientShare(upgrades) } = limits;
  const { upgrading, upgraded, upgradesOf } = counters;
  const own = upgradesOf.get(client) ?? 0;
  if (upgrading + upgraded >= upgrades || own >= clientUpgrades) throw tooManyUpgrades();
  upgradesOf.set(client, own + 1);
  return {
    isTunnel: false,
    leave() {
      const left = (upgradesOf.get(client) ?? 1) - 1;
      if (left > 0) upgradesOf.set(client, left);
      else upgradesOf.delete(client);
    },
  };
}

/** Keeps what comes before there is an answer, and notices when the client leaves. */
function listenEarly(context: RequestContext, socket: Duplex, head: Buffer): { stop(): void } {
  const chunks = [head];
  let bytes = head.length;
  const keep = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > EARLY_BYTES) socket.pause();
  };
  const leave = (): void => {
    context.gone();
    socket.destroy();
  };
  let stopped = false;
  socket.on('data', keep).on('end', leave).on('error', leave);
  socket.resume();
  return {
    stop() {
      if (stopped) return;
      stopped = true;
      socket.off('data', keep).off('end', leave).pause();
      if (bytes > 0) socket.unshift(Buffer.concat(chunks));
    },
  };
}

/** Each end of a tunnel lives as long as the other one. */
function tie(counters: Counters, client: Duplex, upstream: Duplex, place: Place): void {
  counters.upgraded += 1;
  client.once('close', () => {
    counters.upgraded -= 1;
    place.leave();
    upstream.destroy();
  });
  upstream.once('close', () => client.destroy());
  for (const end of [client, upstream]) end.on('error', () => end.destroy());
}

/**
 * The request as if it had not asked for an upgrade, which a server may always do (RFC 9110 7.8):
 * some clients ask for h2c with every first request.
 */
export function headWithoutUpgrade({
  method,
  url,
  httpVersion,
  rawHeaders,
}: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const value = rawHeaders[index + 1] as string;
    if (UPGRADING.has(name.toLowerCase())) continue;
    lines.push(`${name}: ${name.toLowerCase() === 'connection' ? withoutUpgrade(value) : value}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function withoutUpgrade(connection: string): string {
  return connection
    .split(',')
    .map((token) => token.trim())
    .filter((token) => !UPGRADING.has(token.toLowerCase()))
    .join(', ');
}

/** Answers on a socket that has no response object, and closes it. */
export function refuseRaw(socket: Duplex, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problemBody(problem));
  socket.write(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
      'content-type: application/problem+json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
  linger(socket);
}
