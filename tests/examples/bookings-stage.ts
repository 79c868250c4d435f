import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import type { SideName } from '../../routing/index.ts';
import type { PostgresDatabase } from '../../system/index.ts';
import { projectRoot } from '../../system/index.ts';
import { onFailure, temporaryPostgresDatabase, withRedis, withTempDir } from '../support/index.ts';

const EXAMPLE = join(projectRoot, 'examples', 'bookings');
const COMPILED = join(projectRoot, 'dist');

/** What one command line gave. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The two databases of `examples/bookings`: the monolith's with its rows, the service's empty. */
export interface BookingsDatabases {
  readonly urls: Readonly<Record<SideName, string>>;
  /** Runs SQL in one of them, as a person or a job does who bypasses the application. */
  sql<R extends object>(side: SideName, text: string): Promise<R[]>;
}

/** The example's applications over their databases, and a folder for what a system of Fig keeps. */
export interface BookingsStage extends BookingsDatabases {
  readonly folder: string;
  readonly appUrls: Readonly<Record<SideName, string>>;
  /** Runs `bin/fig`, as a person does, with the variables of this stage. */
  fig(...words: readonly string[]): Promise<Ran>;
  /** Starts engine and facade; until `use` is done. */
  withFigRunning<T>(use: (facadeUrl: string) => Promise<T>): Promise<T>;
}

export async function exampleFile(name: string): Promise<string> {
  return readFile(join(EXAMPLE, name), 'utf8');
}

/** Creates both databases of the example. @param files what the monolith's database is made of */
export async function withBookingsDatabases<T>(
  use: (databases: BookingsDatabases) => Promise<T>,
  files: readonly string[] = ['schema.sql', 'seed.sql'],
): Promise<T> {
  const made: Record<SideName, PostgresDatabase> = {
    legacy: await temporaryPostgresDatabase(),
    extracted: await temporaryPostgresDatabase(),
  };
  const urls = { legacy: made.legacy.url, extracted: made.extracted.url };
  const sql = async <R extends object>(side: SideName, text: string): Promise<R[]> => {
    const client = new Client({ connectionString: urls[side] });
    await client.connect();
    try {
      return (await client.query<R>(text)).rows;
    } finally {
      await client.end();
    }
  };
  try {
    for (const file of files) await sql('legacy', await exampleFile(file));
    // Figures that a planner goes by, as a database in use has them.
    await sql('legacy', 'ANALYZE');
    return await use({ urls, sql });
  } finally {
    await made.legacy.drop();
    await made.extracted.drop();
  }
}

/**
 * Sets up the example: both databases, the monolith and the service.
 * @param config the configuration's file
 */
export function withBookingsStage<T>(
  use: (stage: BookingsStage) => Promise<T>,
  config = join(EXAMPLE, 'fig.config.ts'),
): Promise<T> {
  return withBookingsDatabases(async (databases) => {
    await databases.sql('extracted', await exampleFile('service.sql'));
    return withTempDir((folder) =>
      withApp('monolith', { DATABASE_URL: databases.urls.legacy }, (legacy) =>
        withApp(
          'service',
          { DATABASE_URL: databases.urls.extracted, MONOLITH_URL: legacy },
          (extracted) =>
            withRedis((redis) => {
              const env = {
                FIG_CONFIG: config,
                FIG_DATA_DIR: folder,
                FIG_FLAGS_FILE: join(folder, 'flags.json'),
                FIG_YES: '1',
                MONOLITH_URL: legacy,
                BOOKINGS_URL: extracted,
                MONOLITH_DATABASE_URL: databases.urls.legacy,
                BOOKINGS_DATABASE_URL: databases.urls.extracted,
                REDIS_URL: redis.url,
              };
              return use(stageOf(databases, folder, env, { legacy, extracted }));
            }),
        ),
      ),
    );
  });
}

function stageOf(
  databases: BookingsDatabases,
  folder: string,
  env: Readonly<Record<string, string>>,
  appUrls: BookingsStage['appUrls'],
): BookingsStage {
  const running: Record<string, string> = {};
  return {
    ...databases,
    folder,
    appUrls,
    fig: (...words) => runFig(words, { ...env, ...running }),
    withFigRunning: (use) =>
      withProcess('strangler/main.js', { ...env, ENGINE_PORT: '0' }, async (engine) => {
        running['ENGINE_URL'] = `http://127.0.0.1:${engine['http']}`;
        const facadeEnv = { ...env, ...running, FACADE_PORT: '0', ADMIN_PORT: '0' };
        try {
          return await withProcess('facade/main.js', facadeEnv, (facade) => {
            running['ADMIN_URL'] = `http://127.0.0.1:${facade['admin']}`;
            return use(`http://127.0.0.1:${facade['facade']}`);
          });
        } finally {
          delete running['ENGINE_URL'];
          delete running['ADMIN_URL'];
        }
      }),
  };
}

/** Runs `bin/fig`. */
export async function runFig(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd = projectRoot,
): Promise<Ran> {
  const child = spawn(process.execPath, [join(projectRoot, 'bin', 'fig'), ...words], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
}

/** Runs one of the example's applications, which says where it listens. */
async function withApp<T>(
  name: 'monolith' | 'service',
  env: Readonly<Record<string, string>>,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const child = spawn(process.execPath, [join(EXAMPLE, `${name}.mjs`)], {
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = createInterface({ input: child.stdout });
  keepLog(name, child);
  try {
    const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as string[];
    const url = /http:\S+/.exec(line ?? '')?.[0];
    if (url === undefined) throw new Error(`the ${name} did not start`);
    return await use(url);
  } finally {
    await end(child);
  }
}

async function withProcess<T>(
  program: string,
  env: Readonly<Record<string, string>>,
  use: (ports: Readonly<Record<string, number>>) => Promise<T>,
): Promise<T> {
  const child = fork(join(COMPILED, program), [], {
    execArgv: ['--enable-source-maps'],
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  keepLog(program, child);
  try {
    const ports = await new Promise<Record<string, number>>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
      child.on('message', (message: { ports?: Record<string, number> }) => {
        if (message.ports) resolve(message.ports);
      });
    });
    return await use(ports);
  } finally {
    await end(child);
  }
}

/** When a test fails, it is shown what the process wrote last. */
function keepLog(name: string, child: ChildProcess): void {
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-8_000)));
  }
  onFailure(() => `--- the last lines of ${name}\n${log}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
