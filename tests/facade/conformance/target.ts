import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../../support/index.ts';
import { withSpawnedFacade } from '../spawned-facade.ts';
import { startRawUpstream } from './raw-upstream.ts';
import type { RawUpstream } from './raw-upstream.ts';

/** A proxy, and the only server behind it. */
export interface Target {
  readonly name: 'facade' | 'nginx';
  readonly port: number;
  readonly pid: number;
  readonly upstream: RawUpstream;
}

export const HEADERS_MS = 400;
const REQUEST_MS = 2_000;
const BODY_BYTES = 1_000_000;

/** The facade as it is built, with a capability at /api/stock whose one side is all there is. */
export async function withFacade<T>(
  folder: string,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const upstream = await startRawUpstream();
  const config = {
    upstreams: { only: upstream.url },
    monolith: 'only',
    capabilities: {
      stock: { legacy: 'only', extracted: 'only', routes: ['/api/stock', '/api/stock/*'] },
    },
    limits: { headersMs: HEADERS_MS, bodyBytes: BODY_BYTES, requestMs: REQUEST_MS },
  };
  try {
    return await withSpawnedFacade({ folder, config }, ({ port, pid }) =>
      use({ name: 'facade', port, pid, upstream }),
    );
  } finally {
    await upstream.close();
  }
}

/** nginx's version; undefined where it is not installed. */
export function nginxVersion(): string | undefined {
  try {
    const text = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' });
    return /nginx\/[\d.]+/.exec(text)?.[0];
  } catch {
    return undefined;
  }
}

/** nginx as its documentation shows it as a reverse proxy, with the same limits. */
export async function withNginx<T>(
  folder: string,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const upstream = await startRawUpstream();
  const port = await freePort();
  const file = join(folder, 'nginx.conf');
  await writeFile(file, nginxConfig(folder, port, upstream.port));
  const child = spawn('nginx', ['-p', folder, '-c', file], { stdio: 'ignore' });
  try {
    await eventually(() => isListening(port));
    upstream.reset();
    return await use({ name: 'nginx', port, pid: child.pid ?? 0, upstream });
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
    await upstream.close();
  }
}

function nginxConfig(folder: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
    .join('\n');
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log /dev/null;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 1m;
  client_header_timeout ${HEADERS_MS}ms;
  large_client_header_buffers 4 4k;
  upstream behind { server 127.0.0.1:${upstreamPort}; keepalive 8; }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
    }
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
