import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Problem, problemBody } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import { upstreamUnavailable } from './refusals.ts';
import type { RequestForm, RequestReader } from './request-form.ts';

/** Takes WebSocket upgrades to the monolith; everything else that wants to upgrade is refused. */
export function createUpgrader(
  monolithUrl: string,
  reader: RequestReader,
  log: Logger,
): (req: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const proxy = createProxyMiddleware({
    target: monolithUrl,
    changeOrigin: true,
    ws: true,
    on: {
      error: (error, _req, answer) => {
        log.debug({ err: error }, 'an upgrade failed');
        const socket = answer instanceof ServerResponse ? answer.socket : answer;
        if (socket && socket.bytesWritten === 0) refuseRaw(socket, upstreamUnavailable(false));
        else socket?.destroy();
      },
    },
  });
  return (req, socket, head) => {
    socket.on('error', (error) => log.debug({ err: error }, 'an upgraded connection broke'));
    try {
      const form = reader.read(req);
      checkUpgrade(req, form);
      rewrite(req, form);
      proxy.upgrade(req, socket as Socket, head);
    } catch (error) {
      if (!(error instanceof Problem)) log.error({ err: error }, 'an upgrade failed');
      refuseRaw(
        socket,
        error instanceof Problem
          ? error
          : new Problem(502, 'upstream_unavailable', 'the upgrade failed'),
      );
    }
  };
}

/** A body would travel on as the first bytes of the other protocol. */
function checkUpgrade(req: IncomingMessage, { method, bodyBytes }: RequestForm): void {
  if (method !== 'GET' || bodyBytes !== 0) {
    throw new Problem(400, 'invalid_upgrade', 'an upgrade must be a GET without a body');
  }
  if (req.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new Problem(501, 'unsupported_upgrade', 'only an upgrade to websocket is understood');
  }
}

/** The proxy reads target and headers from the request: it gets the canonical ones. */
function rewrite(req: IncomingMessage, form: RequestForm): void {
  const headers: Record<string, string> = {};
  for (let index = 0; index < form.headers.length; index += 2) {
    const name = (form.headers[index] as string).toLowerCase();
    const value = form.headers[index + 1] as string;
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  req.url = form.target;
  req.headers = { ...headers, connection: 'Upgrade', upgrade: 'websocket' };
}

/** Answers on a socket that has no response object, and closes it. */
export function refuseRaw(socket: Duplex, problem: Problem): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code.replaceAll('_', ' ')}\r\n` +
      'content-type: application/problem+json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
