import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort, run, startedOrDead } from '../supervisor/index.ts';
import type { Identity, Launch, Launcher, LogSink, Program } from '../supervisor/index.ts';
import { besidePostgres } from './postgres-find.ts';

const START_TIMEOUT_MS = 60_000;

interface PostgresServerOptions {
  readonly program: Program;
  /** Who runs it, where that is not us. */
  readonly identity: Identity | undefined;
  /** Holds the data; belongs to whom the server runs as. */
  readonly directory: string;
  /** Whether what is committed must survive a power cut; a killed server never loses any. */
  readonly durable: boolean;
  readonly sink: LogSink;
}

/** A private PostgreSQL on a free port of 127.0.0.1, with a password of its own. */
export class PostgresServer implements Launcher {
  readonly name = 'postgres';
  /** Ends sessions and leaves nothing in shared memory; SIGTERM would wait for the clients. */
  readonly stopSignal = 'SIGINT';
  readonly #options: PostgresServerOptions;
  readonly #password = randomBytes(12).toString('hex');
  #port: number | undefined;
  #served = false;

  constructor(options: PostgresServerOptions) {
    this.#options = options;
  }

  /** The database that comes with every server. */
  get url(): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${this.#port}/postgres`;
  }

  async launch(): Promise<Launch> {
    const { directory, sink } = this.#options;
    if (!existsSync(join(directory, 'data', 'PG_VERSION'))) await this.#initialize();
    // Until it has served once nobody knows the address: should another process be faster to take
    // the free port, the next attempt may use another.
    if (this.#port === undefined || !this.#served) this.#port = await freePort();
    const { path, env } = this.#program('postgres');
    const output = sink.stdio(this.name);
    const child = spawn(path, this.#settings(this.#port), {
      ...this.#options.identity,
      cwd: directory,
      env,
      stdio: ['ignore', output, output],
      detached: true,
    });
    child.unref();
    sink.attach(this.name, child, { quiet: true });
    const started = startedOrDead(this.name, child, this.#untilItServes(child), {
      timeoutMs: START_TIMEOUT_MS,
      reason: () => sink.tail(this.name, 10).join('\n'),
    });
    return { child, started };
  }

  /** The collation of the databases is chosen with each of them. */
  async #initialize(): Promise<void> {
    const { directory, identity } = this.#options;
    const passwordFile = join(directory, 'password');
    writeFileSync(passwordFile, this.#password, { mode: 0o600 });
    if (identity !== undefined) chownSync(passwordFile, identity.uid, identity.gid);
    const { path, env } = this.#program('initdb');
    const settings = {
      pgdata: join(directory, 'data'),
      pwfile: passwordFile,
      username: 'postgres',
      auth: 'scram-sha-256',
      encoding: 'UTF8',
      locale: 'C',
    };
    const parameters = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
    await run(path, [...parameters, '--no-sync'], { ...identity, env, cwd: directory });
    rmSync(passwordFile);
  }

  #program(name: string): { path: string; env: NodeJS.ProcessEnv } {
    const { path, env } = besidePostgres(this.#options.program, name);
    return { path, env: { ...process.env, ...env, LC_ALL: 'C' } };
  }

  #settings(port: number): string[] {
    const { directory, durable } = this.#options;
    const values: Record<string, string> = {
      port: String(port),
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      max_connections: '200',
      shared_buffers: '64MB',
      wal_level: 'logical',
      jit: 'off',
      ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    };
    const settings = Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return ['-D', join(directory, 'data'), ...settings];
  }

  /** No other server knows the password. */
  async #untilItServes(child: ChildProcess): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      if (await answers(this.url)) {
        this.#served = true;
        return;
      }
      await delay(20);
    }
    await new Promise(() => {});
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
