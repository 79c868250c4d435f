import { describe, expect, it } from '@jest/globals';
import { copyFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { CA_FILE, eventually, request, withHttps, withTempDir } from '../support/index.ts';
import { RawClient } from './raw-client.ts';
import { withSpawnedFacade } from './spawned-facade.ts';

const HANDSHAKE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
const answer: RequestListener = (req, res) => {
  if (req.headers.upgrade) res.writeHead(401);
  res.end(`${req.headers.host} ${req.url}`);
};

/** Gives `use` a folder with a server that listens at `app.sock` in it. */
function withSocketServer(use: (folder: string) => Promise<void>): Promise<void> {
  return withTempDir(async (folder) => {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(join(folder, 'app.sock'), resolve));
    try {
      await use(folder);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
}

const configOf = (old: unknown) =>
  JSON.stringify({ upstreams: { old }, monolith: 'old', capabilities: {} });

describe('an upstream', () => {
  it('may listen at a unix socket beside the configuration', () =>
    withSocketServer((folder) =>
      withSpawnedFacade(
        { folder, config: configOf({ url: 'http://app.internal/base', socket: 'app.sock' }) },
        async ({ url, port, adminUrl, operator: headers }) => {
          expect((await request('GET', `${url}/x?y`)).body).toBe('app.internal /base/x?y');
          const client = new RawClient(port).get('/ws', ...HANDSHAKE);
          await eventually(() => client.text.includes('app.internal /base/ws'));
          expect(client.statuses).toEqual([401]);
          client.close();
          expect((await request('GET', `${adminUrl}/upstreams`, { headers })).body).toMatchObject({
            upstreams: [{ name: 'old', trouble: null }],
          });
          expect((await request('GET', `${adminUrl}/readyz`)).body).toMatchObject({
            checks: { monolith: 'ok' },
          });
        },
      ),
    ));

  it('may have a certificate of an authority of its own', () =>
    withHttps(answer, (upstream) =>
      withTempDir(async (folder) => {
        await copyFile(CA_FILE, join(folder, 'own-ca.pem'));
        await withSpawnedFacade(
          { folder, config: configOf({ url: upstream, ca: 'own-ca.pem' }) },
          async ({ url, port, adminUrl, operator: headers }) => {
            const { host } = new URL(upstream);
            expect((await request('GET', `${url}/x`)).body).toBe(`${host} /x`);
            const client = new RawClient(port).get('/ws', ...HANDSHAKE);
            await eventually(() => client.text.includes(`${host} /ws`));
            client.close();
            expect((await request('GET', `${adminUrl}/upstreams`, { headers })).body).toMatchObject(
              {
                upstreams: [{ name: 'old', trouble: null }],
              },
            );
          },
        );
      }),
    ));

  it.each([
    ['missing.pem', 'ENOENT'],
    ['no.pem', 'is no PEM file of certificates'],
  ])('is refused at the start with the certificates of %s', (ca, reason) =>
    withTempDir(async (folder) => {
      await writeFile(join(folder, 'no.pem'), 'hello');
      await withSpawnedFacade(
        { folder, config: configOf({ url: 'https://127.0.0.1:9', ca }), unready: true },
        async (facade) => {
          expect(await facade.ended).toBe(2);
          expect(facade.log()).toContain(`upstreams.old.ca: `);
          expect(facade.log()).toContain(reason);
          expect(facade.log()).toContain(join(folder, 'fig.config.yaml'));
        },
      );
    }),
  );
});
