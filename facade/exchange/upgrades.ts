import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Problem, problemBody } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import { upstreamUnavailable } from './refusals.ts';
import type { RequestForm, RequestReader } from '../request/index.ts';

const UPGRADING = new Set(['upgrade', 'http2-settings']);

interface UpgraderOptions {
  readonly monolithUrl: string;
  readonly reader: RequestReader;
  readonly log: Logger;
  /** Takes a connection whose wish to upgrade is ignored. */
  readonly goOn: (socket: Duplex) => void;
}

/** Takes WebSocket upgrades to the monolith; any other wish to upgrade is ignored. */
export function createUpgrader({
  monolithUrl,
  reader,
  log,
  goOn,
}: UpgraderOptions): (req: IncomingMessage, socket: Duplex, head: Buffer) => void {
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
    if (req.headers.upgrade?.toLowerCase() !== 'websocket') {
      socket.unshift(Buffer.concat([headWithoutUpgrade(req), head]));
      goOn(socket);
      return;
    }
    socket.on('error', (error) => log.debug({ err: error }, 'an upgraded connection broke'));
    try {
      const form = reader.read(req);
      checkUpgrade(form);
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

/**
 * The request as if it had not asked for an upgrade, which a server may always do (RFC 9110 7.8):
 * some clients ask for h2c with every first request.
 */
function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
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

/** A body would travel on as the first bytes of the other protocol. */
function checkUpgrade({ method, bodyBytes }: RequestForm): void {
  if (method !== 'GET' || bodyBytes !== 0) {
    throw new Problem(400, 'invalid_upgrade', 'an upgrade must be a GET without a body');
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
  // Node has let go of it: nobody else would hear that the client has reset the connection.
  socket.on('error', () => socket.destroy());
  const body = JSON.stringify(problemBody(problem));
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code.replaceAll('_', ' ')}\r\n` +
      'content-type: application/problem+json\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\n\r\n${body}`,
  );
}
