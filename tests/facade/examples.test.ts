import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';

const require = createRequire(import.meta.url);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The program of an installed package. */
async function programOf(name: string): Promise<string> {
  const file = require.resolve(`${name}/package.json`);
  const { bin } = JSON.parse(await readFile(file, 'utf8')) as {
    bin: string | Record<string, string>;
  };
  return join(dirname(file), typeof bin === 'string' ? bin : (bin[name] ?? ''));
}

async function withServer<T>(
  name: string,
  parameters: (port: string) => string[],
  cwd: string,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const port = await freePort();
  const program = await programOf(name);
  const child = spawn(process.execPath, [program, ...parameters(String(port))], {
    cwd,
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(() => request('GET', `${url}/products`));
    return await use(url);
  } finally {
    // One that is asked politely waits for its last connection.
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'exit');
  }
}

describe('examples/any-app', () => {
  it('ramps reads from one server of somebody else to another, by the flag file alone', () =>
    withTempDir(async (folder) => {
      await cp(join(projectRoot, 'examples', 'any-app'), folder, { recursive: true });
      const config = await readFile(join(folder, 'fig.config.yaml'), 'utf8');
      const old = (port: string) => ['old', '-p', port, '-a', '127.0.0.1', '-e', 'json', '-c-1'];
      const next = (port: string) => ['new/db.json', '--host', '127.0.0.1', '--port', port];
      await withServer('http-server', old, folder, (OLD_URL) =>
        withServer('json-server', next, folder, (NEW_URL) =>
          withSpawnedFacade({ folder, config, env: { OLD_URL, NEW_URL } }, async (facade) => {
            const read = async (headers = {}): Promise<'old' | 'new'> => {
              const answer = await request('GET', `${facade.url}/products`, { headers });
              expect(answer).toMatchObject({ status: 200, body: { length: 3 } });
              return answer.headers['x-powered-by'] === 'Express' ? 'new' : 'old';
            };
            const many = (): Promise<('old' | 'new')[]> =>
              Promise.all(Array.from({ length: 40 }, () => read()));
            expect(new Set(await many())).toEqual(new Set(['old']));
            await facade.flags({ 'products.reads': 50 });
            await eventually(async () => expect(new Set(await many()).size).toBe(2));
            const alice = await read({ 'x-customer-id': 'alice' });
            for (let time = 0; time < 10; time += 1) {
              expect(await read({ 'x-customer-id': 'alice' })).toBe(alice);
            }
            await facade.flags({ 'products.reads': 100 });
            await eventually(async () => expect(new Set(await many())).toEqual(new Set(['new'])));
            expect((await request('GET', `${facade.url}/about.html`)).status).toBe(200);
            await facade.flags({ 'products.shadow': 100 });
            await eventually(async () => {
              await read();
              const status = await request('GET', `${facade.adminUrl}/status`, {
                headers: facade.operator,
              });
              const experiments = expect.objectContaining({ mismatched: 0, errors: 0 });
              expect(status.body).toMatchObject({ capabilities: [{ experiments }] });
              const [{ experiments: found }] = (
                status.body as { capabilities: [{ experiments: { matched: number } }] }
              ).capabilities;
              expect(found.matched).toBeGreaterThan(5);
            });
          }),
        ),
      );
    }));
});
