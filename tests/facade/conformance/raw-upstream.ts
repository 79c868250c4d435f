import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A request as an upstream has read it. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case names; values of a name that came several times are joined by `, `. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly trailers: string;
}

export type Reply = (request: SeenRequest, socket: Socket) => void;

/**
 * A server that keeps every byte it gets. It reads requests more leniently than it should, as some
 * servers do: whatever can be taken for another request, it takes for one.
 */
export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  bytes: number;
  open: number;
  /** When a connection was last closed by the other side, as `performance.now()`. */
  lastClosedAt: number;
  reply: Reply;
  /** Gets a connection with its first bytes instead of `reply`: nothing is read or kept here. */
  takeOver: ((socket: Socket, head: Buffer) => void) | undefined;
  reset(): void;
  close(): Promise<void>;
}

export const OK: Reply = (_request, socket) => {
  socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
};

export async function startRawUpstream(): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    upstream.open += 1;
    sockets.add(socket);
    let text = '';
    socket.on('data', (chunk) => {
      if (upstream.takeOver) {
        socket.removeAllListeners('data');
        upstream.takeOver(socket, chunk);
        return;
      }
      upstream.bytes += chunk.length;
      text += chunk.toString('latin1');
      for (;;) {
        const taken = takeRequest(text);
        if (!taken) return;
        text = text.slice(taken.length);
        upstream.seen.push(taken.request);
        upstream.reply(taken.request, socket);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      upstream.open -= 1;
      upstream.lastClosedAt = performance.now();
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const upstream: RawUpstream = {
    url: `http://127.0.0.1:${port}`,
    port,
    seen: [],
    bytes: 0,
    open: 0,
    lastClosedAt: 0,
    reply: OK,
    takeOver: undefined,
    reset() {
      upstream.seen.length = 0;
      upstream.bytes = 0;
      upstream.reply = OK;
      upstream.takeOver = undefined;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return upstream;
}

interface Taken {
  readonly request: SeenRequest;
  /** How much of the text it is. */
  readonly length: number;
}

/** @returns undefined while there is no whole request */
export function takeRequest(text: string): Taken | undefined {
  const start = /^[\r\n]*/.exec(text)?.[0].length ?? 0;
  const end = /\r?\n\r?\n/.exec(text.slice(start));
  if (!end) return undefined;
  const head = text.slice(start, start + end.index);
  const bodyAt = start + end.index + end[0].length;
  const [line = '', ...fields] = head.split(/\r?\n/);
  const [method = '', target = ''] = line.split(' ');
  const headers = new Map<string, string>();
  for (const field of fields) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).trim().toLowerCase();
    const value = field.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  const body = headers.get('transfer-encoding')?.includes('chunked')
    ? takeChunks(text, bodyAt)
    : takeBytes(text, bodyAt, Number.parseInt(headers.get('content-length') ?? '0', 10));
  if (!body) return undefined;
  const { content, trailers, length } = body;
  return { request: { method, target, headers, body: content, trailers }, length };
}

interface Body {
  readonly content: string;
  readonly trailers: string;
  readonly length: number;
}

function takeBytes(text: string, at: number, bytes: number): Body | undefined {
  if (text.length < at + bytes) return undefined;
  return { content: text.slice(at, at + bytes), trailers: '', length: at + bytes };
}

function takeChunks(text: string, from: number): Body | undefined {
  let content = '';
  for (let at = from; ;) {
    const line = /^([0-9a-fA-F]+)[^\r\n]*\r?\n/.exec(text.slice(at, at + 100));
    if (!line) return undefined;
    const bytes = Number.parseInt(line[1] ?? '', 16);
    at += line[0].length;
    if (bytes === 0) {
      const end = /^(?:[^\r\n]+\r?\n)*\r?\n/.exec(text.slice(at));
      if (!end) return undefined;
      return { content, trailers: end[0].trim(), length: at + end[0].length };
    }
    if (text.length < at + bytes + 2) return undefined;
    content += text.slice(at, at + bytes);
    at += bytes + 2;
  }
}
