import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { freePort } from '../../system/index.ts';
import { eventually, request, temporaryPostgresDatabase } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { installUnleash } from './install.ts';

const ADMIN_TOKEN = '*:*.of-an-operator';
const CLIENT_TOKEN = 'default:development.of-a-process';
const START_MS = 60_000;

/** A real Unleash server with a database of its own, and a person who works on its flags. */
export interface UnleashServer {
  /** What Fig needs to know to use it. */
  readonly variables: Readonly<Record<string, string>>;
  readonly adminToken: string;
  /** Asks its admin API as a person's browser does, below the default project's flags. */
  admin(method: string, path: string, body?: unknown): Promise<Answer>;
  /** Turns a flag on or off, as by its switch in the user interface. */
  turn(flag: string, on: boolean): Promise<void>;
  kill(): Promise<void>;
  /** Brings it up again at the same place. */
  start(): Promise<void>;
}

/** Gives `use` an Unleash server, and takes it away with all that it stored. */
export async function withUnleash<T>(use: (server: UnleashServer) => Promise<T>): Promise<T> {
  const program = await installUnleash();
  const database = await temporaryPostgresDatabase();
  const server = unleashServer(program, database.url, await freePort());
  try {
    await server.start();
    return await use(server);
  } finally {
    await server.kill();
    await database.drop();
  }
}

function unleashServer(program: string, databaseUrl: string, port: number): UnleashServer {
  const url = `http://127.0.0.1:${port}`;
  const flags = `${url}/api/admin/projects/default/features`;
  let child: ChildProcess | undefined;
  let said = '';

  const admin: UnleashServer['admin'] = (method, path, body) =>
    request(method, `${flags}${path}`, { headers: { authorization: ADMIN_TOKEN }, body });

  return {
    variables: { UNLEASH_URL: `${url}/api`, UNLEASH_TOKEN: CLIENT_TOKEN },
    adminToken: ADMIN_TOKEN,
    admin,
    async turn(flag, on) {
      const way = on ? 'on' : 'off';
      const { status } = await admin('POST', `/${flag}/environments/development/${way}`);
      if (status !== 200) throw new Error(`turning ${flag} ${way}: ${status}`);
    },
    async kill() {
      const running = child;
      child = undefined;
      if (running?.exitCode !== null) return;
      running.kill('SIGKILL');
      await once(running, 'exit');
    },
    async start() {
      const started = spawn(process.execPath, [program], {
        env: {
          PATH: process.env['PATH'],
          NODE_ENV: 'production',
          DATABASE_URL: databaseUrl,
          DATABASE_SSL: 'false',
          HTTP_HOST: '127.0.0.1',
          HTTP_PORT: String(port),
          INIT_ADMIN_API_TOKENS: ADMIN_TOKEN,
          INIT_BACKEND_API_TOKENS: CLIENT_TOKEN,
          CHECK_VERSION: 'false',
          SEND_TELEMETRY: 'false',
          LOG_LEVEL: 'warn',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
      }
      await eventually(() => isUp(started, url, () => said), { timeoutMs: START_MS });
    },
  };
}

async function isUp(child: ChildProcess, url: string, said: () => string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`the Unleash server ended:\n${said()}`);
  const { status } = await request('GET', `${url}/health`);
  return status === 200;
}
