import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createLog, listen, LOOPBACK_ONLY } from '../../chassis/index.ts';
import type { Access, Listening } from '../../chassis/index.ts';
import { buildApp } from '../../facade/index.ts';
import { createFlagFile, defineConfig, flagsOf, openFlags, setFlags } from '../../routing/index.ts';
import type { FigConfigInput, RoutingState } from '../../routing/index.ts';
import { withTempDir } from '../support/index.ts';
import { STOCK } from './stock.ts';

/** A server as somebody else may have written it, which keeps what it was sent. */
export interface Fixture {
  readonly url: string;
  readonly received: Received[];
  /** What it answers; may be changed at any time. */
  answer: (req: IncomingMessage, res: ServerResponse, body: string) => void;
  /** How many connections to it are open. */
  connections(): number;
  close(): Promise<void>;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** Answers JSON. */
export function json(res: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': status < 400 ? 'application/json' : 'application/problem+json',
    'content-length': Buffer.byteLength(text),
  });
  res.end(text);
}

/** Answers as a fenced-off side does. */
export function fenced(
  res: ServerResponse,
  capability: string,
  state: 'closed' | 'ceded',
  epoch: number,
  key?: string,
): void {
  json(res, 421, { code: 'fenced', status: 421, capability, key, state, epoch });
}

/** Never answers. @returns tells whether the connection of each request so far has been closed */
export function silence(side: Fixture): () => boolean {
  const open = new Set<Socket>();
  side.answer = ({ socket }) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  };
  return () => open.size === 0;
}

/** Starts a server that says its name, unless told otherwise. */
export async function startFixture(name: string, raw?: RequestListener): Promise<Fixture> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const fixture: Pick<Fixture, 'answer'> = {
    answer: (_req, res) => json(res, 200, { from: name }),
  };
  const server = createServer((req, res) => {
    if (raw) {
      raw(req, res);
      return;
    }
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => (body += chunk));
    req.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = req;
      received.push({ method, url, headers, rawHeaders, body });
      fixture.answer(req, res, body);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return Object.assign(fixture, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: () => sockets.size,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  });
}

/** The facade between fixtures, with flags in a real file. */
export interface Stand {
  readonly url: string;
  readonly port: number;
  readonly adminUrl: string;
  readonly monolith: Fixture;
  readonly legacy: Fixture;
  readonly extracted: Fixture;
  /** Stands for the engine's HTTP contract: `/routing` tells `routing`, barriers are answered. */
  readonly engine: Fixture;
  readonly routing: Map<string, RoutingState>;
  flags(shares: Readonly<Record<string, number>>): Promise<void>;
  /** Its path. */
  readonly flagsFile: string;
}

interface StandOptions {
  readonly config?: Partial<FigConfigInput>;
  readonly redisUrl?: string;
  /** All requests of this machine when left out. */
  readonly access?: Access;
  /** Takes the place of the monolith's handling of requests. */
  readonly rawMonolith?: RequestListener;
  readonly routing?: Partial<RoutingState>;
  /** What is in the flag file at the start; null: there is none; all flags off when left out. */
  readonly flagsFile?: string | null;
  /** Gets what the facade logs. */
  readonly logTo?: (line: string) => void;
}

/** The state of a capability whose owner is legacy, and whose replica is ready. */
export function routingState(capability: string, more: Partial<RoutingState> = {}): RoutingState {
  return {
    capability,
    owner: 'legacy',
    epoch: 1,
    replicaReady: true,
    holding: false,
    generation: 1,
    ...more,
  };
}

/** Gives `use` a facade with one capability, `stock` at /api/stock, touched by POST /api/orders. */
export function withStand(
  {
    config = {},
    redisUrl,
    access = LOOPBACK_ONLY,
    rawMonolith,
    routing = {},
    flagsFile: content,
    logTo,
  }: StandOptions,
  use: (stand: Stand) => Promise<void>,
): Promise<void> {
  return withTempDir(async (directory) => {
    const monolith = await startFixture('monolith', rawMonolith);
    const legacy = await startFixture('legacy');
    const extracted = await startFixture('extracted');
    const engine = await startFixture('engine');
    const states = new Map([['stock', routingState('stock', routing)]]);
    engine.answer = (req, res) => {
      if (req.url === '/routing') json(res, 200, [...states.values()]);
      else json(res, 200, { position: 1 });
    };
    const flagsFile = join(directory, 'flags.json');
    const log = logTo
      ? createLog('facade', 'info', { write: logTo })
      : createLog('facade', 'silent');
    const parsed = defineConfig({
      upstreams: { monolith: monolith.url, legacy: legacy.url, extracted: extracted.url },
      monolith: 'monolith',
      capabilities: {
        stock: STOCK,
      },
      touches: [{ method: 'POST', path: '/api/orders', capabilities: ['stock'] }],
      ...config,
    });
    const capabilities = Object.keys(parsed.capabilities);
    if (content === undefined) await createFlagFile(flagsFile, capabilities.flatMap(flagsOf));
    else if (content !== null) await writeFile(flagsFile, content);
    const flags = await openFlags({
      env: { FIG_FLAGS_FILE: flagsFile },
      appName: 'test',
      capabilities,
      log,
    });
    const facade = buildApp({
      env: { FIG_DATA_DIR: directory },
      access,
      config: parsed,
      flags,
      engineUrl: engine.url,
      redisUrl,
      log,
    });
    await facade.start();
    const at = { host: '127.0.0.1', port: 0, variable: 'none' };
    const door: Listening = await listen(facade.server, at);
    const admin = await listen(facade.admin, at);
    try {
      await use({
        url: `http://127.0.0.1:${door.port}`,
        port: door.port,
        adminUrl: `http://127.0.0.1:${admin.port}`,
        monolith,
        legacy,
        extracted,
        engine,
        routing: states,
        flags: (shares) => setFlags(flagsFile, shares),
        flagsFile,
      });
    } finally {
      await door.close(100);
      await admin.close(100);
      await facade.close();
      flags.close();
      await Promise.all([monolith, legacy, extracted, engine].map((each) => each.close()));
    }
  });
}
