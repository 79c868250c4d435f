import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFlagFile, flagsOf, setFlags } from '../../routing/index.ts';
import type { FigConfigInput, RoutingState } from '../../routing/index.ts';
import { asOperator } from '../../system/index.ts';
import { startNode } from '../harness/index.ts';
import type { NodeChild } from '../harness/index.ts';

/** Our facade, with all that it needs to do all that it can. */
export interface OurFacade extends NodeChild {
  readonly url: string;
  flags(shares: Readonly<Record<string, number>>): Promise<void>;
  /** How many reads were compared, and how many were not because too many were under way. */
  experiments(): Promise<{ readonly compared: number; readonly skipped: number }>;
}

interface OurFacadeOptions {
  readonly folder: string;
  readonly legacyUrl: string;
  readonly extractedUrl: string;
  readonly cores?: string | undefined;
  readonly workers?: number;
  /** Patterns of the gateway; all off when left out. */
  readonly gateway?: FigConfigInput['gateway'];
  /** More variables. */
  readonly env?: Readonly<Record<string, string>>;
}

const PROGRAM = fileURLToPath(new URL('../../facade/main.js', import.meta.url));

/**
 * Starts the facade as it runs in production: one capability whose rows are replicated, so that
 * reads are decided by flag, customer and ownership; metrics and trace context are always on.
 */
export async function startOurFacade({
  folder,
  legacyUrl,
  extractedUrl,
  cores,
  workers = 1,
  gateway,
  env = {},
}: OurFacadeOptions): Promise<OurFacade> {
  await mkdir(folder, { recursive: true });
  const engine = await startEngine();
  const config: FigConfigInput = {
    upstreams: { legacy: legacyUrl, extracted: extractedUrl },
    monolith: 'legacy',
    capabilities: {
      items: {
        legacy: 'legacy',
        extracted: 'extracted',
        routes: ['/api/items', '/api/items/*'],
        databases: { legacy: 'file:none', extracted: 'file:none' },
      },
    },
    ...(gateway && { gateway }),
  };
  const configFile = join(folder, 'fig.config.mjs');
  await writeFile(configFile, `export default ${JSON.stringify(config)};\n`);
  const flagsFile = join(folder, 'flags.json');
  await createFlagFile(flagsFile, flagsOf('items'));
  const child = await startNode(PROGRAM, {
    cores,
    env: {
      FIG_CONFIG: configFile,
      FIG_FLAGS_FILE: flagsFile,
      FIG_DATA_DIR: folder,
      ENGINE_URL: engine.url,
      FACADE_PORT: '0',
      ADMIN_PORT: '0',
      FACADE_WORKERS: String(workers),
      REDIS_URL: '',
      LOG_LEVEL: 'warn',
      ...env,
    },
  });
  return {
    ...child,
    url: `http://127.0.0.1:${child.ports['facade']}`,
    flags: (shares) => setFlags(flagsFile, shares),
    experiments: () => experimentsOf(`http://127.0.0.1:${child.ports['admin']}`, folder),
    stop: async () => {
      await child.stop();
      await engine.close();
    },
  };
}

async function experimentsOf(
  adminUrl: string,
  folder: string,
): Promise<{ compared: number; skipped: number }> {
  const headers = asOperator({ env: { FIG_DATA_DIR: folder } });
  const answer = await fetch(`${adminUrl}/status`, { headers });
  const { capabilities } = (await answer.json()) as {
    capabilities: [{ experiments: { compared: number; skipped: number } }];
  };
  return capabilities[0].experiments;
}

const ROUTING: RoutingState = {
  capability: 'items',
  owner: 'legacy',
  epoch: 1,
  replicaReady: true,
  holding: false,
  generation: 1,
};

/** The part of the engine that a facade asks: who owns what, and whether the other side is level. */
async function startEngine(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(req.url === '/routing' ? [ROUTING] : { position: 1 }));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
