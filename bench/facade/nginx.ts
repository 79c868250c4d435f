import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../system/index.ts';
import { startCommand } from '../harness/index.ts';
import type { Child } from '../harness/index.ts';

/** nginx's version; undefined where it is not installed. */
export async function nginxVersion(): Promise<string | undefined> {
  try {
    const { stderr } = await promisify(execFile)('nginx', ['-v']);
    return stderr.trim().replace('nginx version: ', '');
  } catch {
    return undefined;
  }
}

interface Nginx extends Child {
  readonly url: string;
}

/** One worker that answers every request with `body`. */
export function startNginxUpstream(folder: string, body: string, cores?: string): Promise<Nginx> {
  return startNginx(
    folder,
    'upstream',
    '',
    `default_type application/json; return 200 '${body}';`,
    cores,
  );
}

/** One worker that forwards over kept connections, as nginx's own documentation shows. */
export function startNginxProxy(folder: string, target: string, cores?: string): Promise<Nginx> {
  return startNginx(
    folder,
    'proxy',
    `upstream behind { server ${new URL(target).host}; keepalive 64; keepalive_requests 1000000000; }`,
    `proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection "";
     proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`,
    cores,
  );
}

async function startNginx(
  folder: string,
  name: string,
  before: string,
  location: string,
  cores: string | undefined,
): Promise<Nginx> {
  const port = await freePort();
  const file = join(folder, `nginx-${name}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${join(folder, `nginx-${name}-${kind}`)};`)
    .join('\n  ');
  await writeFile(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${join(folder, `nginx-${name}.pid`)};
error_log stderr crit;
events { worker_connections 2048; }
http {
  access_log off;
  ${temporary}
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  ${before}
  server {
    listen 127.0.0.1:${port};
    location / { ${location} }
  }
}
`,
  );
  const url = `http://127.0.0.1:${port}`;
  const child = await startCommand(['nginx', '-p', folder, '-c', file], { cores }, () =>
    fetch(url, { signal: AbortSignal.timeout(1_000) }),
  );
  return { ...child, url };
}
