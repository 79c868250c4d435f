import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { built, CA_FILE, withHttps, withTempDir } from '../support/index.ts';
import { bothTargets } from './both-targets.ts';

const run = promisify(execFile);
const { urls } = bothTargets();

/** Passes requests on as they are. */
function passTo(baseUrl: () => string): RequestListener {
  return (req, res) => {
    const { method, url = '/', rawHeaders: headers } = req;
    const onward = send(new URL(url, baseUrl()), { method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
      answer.pipe(res);
    });
    req.pipe(onward);
  };
}

async function withSocket(socket: string, use: () => Promise<void>): Promise<void> {
  const server = createServer(passTo(() => urls.monolith));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    await use();
  } finally {
    server.close();
  }
}

describe('npm run contract -- --target', () => {
  it('reaches upstreams by their names as the facade does, and keeps the result where it is looked for', () =>
    withTempDir((folder) =>
      withSocket(join(folder, 'old.sock'), () =>
        withHttps(
          passTo(() => urls.inventory),
          async (url) => {
            const config = join(folder, 'fig.config.yaml');
            await writeFile(
              config,
              JSON.stringify({
                upstreams: {
                  old: { url: 'http://localhost', socket: 'old.sock' },
                  new: { url, ca: CA_FILE },
                },
                monolith: 'old',
                contractFile: 'kept.json',
                capabilities: {},
              }),
            );
            const program = built(new URL('../../contract-check/main.ts', import.meta.url));
            const args = [program, 'inventory', '--target', 'old', '--target', 'new'];
            const { stdout } = await run(process.execPath, args, {
              env: { ...process.env, FIG_CONFIG: config },
            });
            expect(stdout).toContain(`inventory: http://localhost (old) and ${url} (new)`);
            expect(stdout).toContain('0 differences, 0 broken promises');
            expect(JSON.parse(await readFile(join(folder, 'kept.json'), 'utf8'))).toMatchObject({
              capabilities: { inventory: { ok: true, old: { name: 'monolith' } } },
            });
          },
        ),
      ),
    ));
});
