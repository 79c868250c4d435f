import { join } from 'node:path';
import {
  createExpressServer,
  createHttpClient,
  createLog,
  listen,
  LOOPBACK_ONLY,
} from '../../../chassis/index.ts';
import type { HttpAnswer } from '../../../chassis/index.ts';
import { Engine } from '../../../strangler/engine/index.ts';
import type { EngineDeps, EngineStatus, LiveStatus } from '../../../strangler/engine/index.ts';
import {
  createFlagFile,
  flagFileStore,
  flagsOf,
  openFlags,
  setFlags,
} from '../../../routing/index.ts';
import { shop } from './shop.ts';
import type { Sides } from './sides.ts';

export interface RunningEngine {
  readonly engine: Engine;
  readonly url: string;
  /** Log lines so far. */
  readonly lines: readonly string[];
  call(method: string, path: string, body?: unknown): Promise<HttpAnswer>;
  status(): Promise<LiveStatus>;
  setFlags(shares: Readonly<Record<string, number>>): Promise<void>;
}

export function flagsFileOf({ folder }: Pick<Sides, 'folder'>): string {
  return join(folder, 'flags.json');
}

/** Runs an engine, for the shop unless told otherwise, on two databases, behind HTTP on a free port, and stops it. */
export async function withEngine<T>(
  sides: Pick<Sides, 'urls' | 'folder'>,
  options: Partial<EngineDeps>,
  use: (running: RunningEngine) => Promise<T>,
): Promise<T> {
  const lines: string[] = [];
  const log = createLog('engine', 'info', { write: (line: string) => void lines.push(line) });
  const flagsFile = flagsFileOf(sides);
  const capabilities = Object.keys(options.declarations ?? { shop });
  const flagStore = flagFileStore(flagsFile);
  await createFlagFile(flagsFile, capabilities.flatMap(flagsOf));
  const flags = await openFlags({
    env: { FIG_FLAGS_FILE: flagsFile },
    appName: 'test',
    capabilities,
    log,
  });
  const declarations = { shop: { urls: sides.urls, mapping: shop } };
  const engine = new Engine({
    access: LOOPBACK_ONLY,
    declarations,
    flags,
    flagStore,
    log,
    ...options,
  });
  const server = createExpressServer(engine.app);
  const listening = await listen(server, { host: '127.0.0.1', port: 0, variable: 'ENGINE_PORT' });
  const url = `http://127.0.0.1:${listening.port}`;
  const client = createHttpClient(url, 30_000);
  const call: RunningEngine['call'] = (method, path, body) =>
    client.call(method, path, body === undefined ? {} : { body });
  engine.start(url);
  try {
    return await use({
      engine,
      url,
      lines,
      call,
      status: async () => {
        const { capabilities: all } = (await call('GET', '/status')).body as EngineStatus;
        return all[0] as LiveStatus;
      },
      setFlags: (shares) => setFlags(flagsFile, shares),
    });
  } finally {
    await client.close();
    await listening.close();
    await engine.close();
    flags.close();
  }
}
