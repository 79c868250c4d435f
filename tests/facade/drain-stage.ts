import Database from 'better-sqlite3';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createFlagFile, flagsOf } from '../../routing/index.ts';
import type { FigConfigInput, SideName } from '../../routing/index.ts';
import { asOperator, projectRoot } from '../../system/index.ts';
import { eventually, request, withRedis, withTempDir } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';
import type { SpawnedFacade } from './spawned-facade.ts';
import { startThirdParty } from './third-party.ts';
import type { ThirdParty } from './third-party.ts';

const COMPILED = join(projectRoot, 'dist');
const TABLE = 'CREATE TABLE notes (id TEXT PRIMARY KEY)';

/** Two third-party applications that can't say FENCED, an engine, and two facades before them. */
export interface DrainStage {
  readonly apps: Readonly<Record<SideName, ThirdParty>>;
  readonly facades: readonly [SpawnedFacade, SpawnedFacade];
  /** Asks the engine. */
  engine(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Ids of the notes that a side has, in order. */
  idsAt(side: SideName): readonly unknown[];
}

/** Sets the stage, ready to hand over. */
export function withDrainStage(
  drainFirst: readonly SideName[],
  use: (stage: DrainStage) => Promise<void>,
): Promise<void> {
  return withRedis(({ url }) => withStage(drainFirst, { REDIS_URL: url }, use));
}

/** The same without Redis: engine and facades have each other. */
export function withDrainStageWithoutRedis(
  drainFirst: readonly SideName[],
  use: (stage: DrainStage) => Promise<void>,
): Promise<void> {
  return withStage(drainFirst, {}, use);
}

function withStage(
  drainFirst: readonly SideName[],
  redis: Readonly<Record<string, string>>,
  use: (stage: DrainStage) => Promise<void>,
): Promise<void> {
  return withTempDir(async (folder) => {
    const files = { legacy: join(folder, 'legacy.db'), extracted: join(folder, 'extracted.db') };
    for (const file of Object.values(files)) new Database(file).exec(TABLE).close();
    const apps = {
      legacy: await startThirdParty(files.legacy),
      extracted: await startThirdParty(files.extracted),
    };
    const config = configOf(apps, files, drainFirst);
    const env = { ...redis, FIG_TOKEN_FILE: join(folder, 'token') };
    try {
      await withSpawnedEngine(folder, config, env, async (url) => {
        const engine: DrainStage['engine'] = (method, path, body) =>
          request(method, `${url}${path}`, { body, headers: asOperator({ env }) });
        await prepare(engine);
        const facade = async (
          name: string,
          then: (facade: SpawnedFacade) => Promise<void>,
        ): Promise<void> => {
          const own = join(folder, name);
          await mkdir(own);
          await withSpawnedFacade({ folder: own, config, env: { ...env, ENGINE_URL: url } }, then);
        };
        const idsAt: DrainStage['idsAt'] = (side) => idsIn(files[side]);
        await facade('first', (first) =>
          facade('second', (second) => use({ apps, engine, idsAt, facades: [first, second] })),
        );
      });
    } finally {
      await Promise.all([apps.legacy.close(), apps.extracted.close()]);
    }
  });
}

function configOf(
  apps: DrainStage['apps'],
  files: Readonly<Record<SideName, string>>,
  drainFirst: readonly SideName[],
): FigConfigInput {
  return {
    upstreams: { legacy: apps.legacy.url, extracted: apps.extracted.url },
    monolith: 'legacy',
    drainFirst: [...drainFirst],
    capabilities: {
      notes: {
        legacy: 'legacy',
        extracted: 'extracted',
        routes: ['/notes'],
        databases: { legacy: `file:${files.legacy}`, extracted: `file:${files.extracted}` },
      },
    },
  };
}

/** The engine's configuration is a module, since a mapping is made by code. */
function moduleOf(config: FigConfigInput): string {
  const at = (file: string): string => JSON.stringify(pathToFileURL(join(COMPILED, file)).href);
  return `
    import { defineMapping, same } from ${at('strangler/index.js')};
    import { defineConfig } from ${at('routing/index.js')};
    const config = ${JSON.stringify(config)};
    config.capabilities.notes.mapping = defineMapping({
      capability: 'notes',
      pairs: [{
        name: 'notes',
        legacy: { table: 'notes' },
        extracted: { table: 'notes' },
        key: [same('id', 'id')],
        columns: [],
      }],
    });
    export default defineConfig(config);`;
}

async function withSpawnedEngine(
  folder: string,
  config: FigConfigInput,
  env: Readonly<Record<string, string>>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const file = join(folder, 'fig.config.mjs');
  await writeFile(file, moduleOf(config));
  await createFlagFile(join(folder, 'flags.json'), flagsOf('notes'));
  const child = fork(join(COMPILED, 'strangler', 'main.js'), [], {
    env: {
      PATH: process.env['PATH'],
      FIG_CONFIG: file,
      FIG_DATA_DIR: folder,
      ENGINE_PORT: '0',
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  try {
    await use(await urlOf(child));
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
  }
}

function urlOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the engine ended with ${code}`)));
    child.on('message', ({ ports }: { ports?: { http: number } }) => {
      if (ports) resolve(`http://127.0.0.1:${ports.http}`);
    });
  });
}

async function prepare(engine: DrainStage['engine']): Promise<void> {
  const wish = { capability: 'notes' };
  await eventually(async () => expectStatus(await engine('POST', '/backfills', wish), 202));
  // Only once everything is copied is there something to compare.
  await eventually(async () => {
    const { body } = await engine('POST', '/reconciles', wish);
    return (body as { clean?: boolean }).clean === true;
  });
}

function expectStatus({ status, body }: Answer, wanted: number): void {
  if (status !== wanted) throw new Error(`${status}: ${JSON.stringify(body)}`);
}

function idsIn(file: string): readonly unknown[] {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare('SELECT id FROM notes ORDER BY id').pluck().all();
  } finally {
    database.close();
  }
}
