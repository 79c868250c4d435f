import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { eventually, request, withHttps, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import { silence, startFixture, withStand } from './stand.ts';

const FIG = join(projectRoot, 'bin', 'fig');

const configOf = (monolith: string) => ({
  upstreams: { monolith },
  monolith: 'monolith',
  capabilities: {},
});

interface Line {
  readonly msg: string;
  readonly upstream: string;
  readonly cause: string;
  readonly error: string;
}

function failures(log: string): Line[] {
  return log
    .split('\n')
    .filter((line) => line.includes('an upstream failed'))
    .map((line) => JSON.parse(line) as Line);
}

/** Gives `use` the port of a server that answers each connection with these bytes, and ends it. */
async function withRaw(answer: string, use: (port: number) => Promise<void>): Promise<void> {
  const server = createServer((socket: Socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use((server.address() as { port: number }).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Asks a facade with this monolith once, and returns what it has logged and counted. */
async function told(
  monolith: string,
  limits: { requestMs?: number } = {},
): Promise<{ readonly line: Line | undefined; readonly metrics: string }> {
  let log = '';
  let line: Line | undefined;
  let metrics = '';
  await withStand(
    { config: { ...configOf(monolith), touches: [], limits }, logTo: (text) => (log += text) },
    async ({ url, adminUrl }) => {
      const { status } = await request('POST', `${url}/x`);
      expect([502, 504]).toContain(status);
      await eventually(() => failures(log).length > 0);
      // Each cause is logged at once, and not again at once.
      for (let n = 0; n < 3; n += 1) await request('POST', `${url}/x`);
      metrics = await (await fetch(`${adminUrl}/metrics`)).text();
      const lines = failures(log);
      expect(lines).toHaveLength(1);
      [line] = lines;
    },
  );
  return { line, metrics };
}

function counted(metrics: string): string | undefined {
  return /^fig_upstream_failures_total\{(.*)\} 4$/m.exec(metrics)?.[1];
}

describe('why an upstream failed', () => {
  it('is logged once in a while and counted: nobody listens', async () => {
    const { line, metrics } = await told('http://127.0.0.1:9');
    expect(line).toMatchObject({ upstream: 'monolith', cause: 'refused' });
    expect(line?.error).toContain('127.0.0.1:9');
    expect(counted(metrics)).toBe('upstream="monolith",cause="refused"');
  });

  it('is told of a name that is not known', async () => {
    const { line, metrics } = await told('http://nobody.invalid');
    expect(line).toMatchObject({ upstream: 'monolith', cause: 'dns' });
    expect(counted(metrics)).toContain('dns');
  });

  it('is told of a certificate that nobody vouches for', async () => {
    await withHttps(
      (_req, res) => res.end('hello'),
      async (url) => {
        const { line, metrics } = await told(url);
        expect(line).toMatchObject({ cause: 'tls', error: expect.stringContaining('certificate') });
        expect(counted(metrics)).toContain('tls');
      },
    );
  });

  it('is told of silence, of what is no HTTP, and of a connection that breaks', async () => {
    const silent = await startFixture('silent');
    silent.answer = () => undefined;
    expect((await told(silent.url, { requestMs: 100 })).line).toMatchObject({ cause: 'timeout' });
    await silent.close();
    await withRaw('SSH-2.0-server\r\n', async (port) => {
      const { line } = await told(`http://127.0.0.1:${port}`);
      expect(line).toMatchObject({ cause: 'malformed' });
    });
    await withRaw('', async (port) => {
      expect((await told(`http://127.0.0.1:${port}`)).line).toMatchObject({ cause: 'reset' });
    });
  });

  it('is not counted where a client leaves', () =>
    withStand({}, async ({ url, adminUrl, monolith }) => {
      const isLeft = silence(monolith);
      const leaving = new AbortController();
      const left = fetch(`${url}/x`, { signal: leaving.signal });
      await eventually(() => monolith.received.length === 1);
      leaving.abort();
      await expect(left).rejects.toThrow('abort');
      await eventually(isLeft);
      const metrics = await (await fetch(`${adminUrl}/metrics`)).text();
      expect(metrics).not.toMatch(/^fig_upstream_failures_total\{/m);
    }));

  it('is what operators ask for', () =>
    withStand({}, async ({ adminUrl, legacy }) => {
      await legacy.close();
      const { body } = await request<{ upstreams: unknown[] }>('GET', `${adminUrl}/upstreams`);
      expect(body.upstreams).toMatchObject([
        { name: 'monolith', trouble: null },
        { name: 'legacy', url: legacy.url, trouble: { cause: 'refused' } },
        { name: 'extracted', trouble: null },
      ]);
    }));

  it('is what fig doctor finds', () =>
    withTempDir((folder) =>
      withSpawnedFacade(
        { folder, config: configOf('http://127.0.0.1:9') },
        async ({ adminUrl }) => {
          const env = {
            PATH: process.env['PATH'],
            FIG_CONFIG: join(folder, 'fig.config.yaml'),
            FIG_FLAGS_FILE: join(folder, 'flags.json'),
            FIG_DATA_DIR: folder,
            ADMIN_URL: adminUrl,
            ENGINE_URL: 'http://127.0.0.1:9',
          };
          const said = await new Promise<string>((resolve) => {
            execFile(process.execPath, [FIG, 'doctor', '--json'], { env }, (_error, stdout) =>
              resolve(stdout),
            );
          });
          const { findings } = JSON.parse(said) as { findings: { code: string; what: string }[] };
          const away = findings.filter(({ code }) => code === 'upstream_away');
          expect(away).toHaveLength(1);
          expect(away[0]?.what).toContain(
            'upstream monolith (http://127.0.0.1:9): connect ECONNREFUSED',
          );
        },
      ),
    ));
});
