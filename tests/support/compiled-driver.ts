import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const DRIVER = join('build', 'Release', 'better_sqlite3.node');

/**
 * Lets npm fetch better-sqlite3 compiled, as it does where GitHub can be reached: a server gives out the
 * driver that this checkout has, to a Node of the same kind. Any other Node gets 404, and compiles.
 *
 * @param use gets the environment for npm
 */
export async function withCompiledDriver<T>(
  use: (env: Readonly<Record<string, string>>) => Promise<T>,
): Promise<T> {
  const home = dirname(require.resolve('better-sqlite3/package.json'));
  const { version } = require('better-sqlite3/package.json') as { version: string };
  const { versions, platform, arch } = process;
  const path = `/v${version}/better-sqlite3-v${version}-node-v${versions.modules}-${platform}-${arch}.tar.gz`;
  const archive = await packed(home);
  const server = createServer((request, response) => {
    if (request.url === path) response.end(archive);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    return await use({ npm_config_better_sqlite3_binary_host: `http://127.0.0.1:${port}` });
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function packed(home: string): Promise<Buffer> {
  const tar = spawn('tar', ['-czf', '-', '-C', home, DRIVER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [archive, [code]] = await Promise.all([buffer(tar.stdout), once(tar, 'close')]);
  if (code !== 0) throw new Error(`tar ended with ${code}`);
  return archive;
}
