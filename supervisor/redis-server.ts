import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { CommandFailed, findCommand, run } from './command.ts';
import { freePort } from './free-port.ts';
import { lastWords } from './last-words.ts';
import { startedOrDead } from './launcher.ts';
import type { Launch, Launcher } from './launcher.ts';
import type { LogSink } from './log-sink.ts';
import type { Program } from './program.ts';

const START_TIMEOUT_MS = 20_000;

interface RedisServerOptions {
  readonly binary: Program;
  /** Its working folder; by this a later run knows it as its own. */
  readonly directory: string;
  readonly sink: LogSink;
  /** What its clients must know; made up when absent. */
  readonly password?: string;
}

/**
 * A private Redis on a free port of 127.0.0.1. It keeps nothing on disk, because all that must
 * last is in the databases, and refuses to evict, because a queue that loses a job is broken.
 * Loopback is shared with other users, so it wants a password, which is in its URL.
 */
export class RedisServer implements Launcher {
  readonly name = 'redis';
  readonly #options: RedisServerOptions;
  readonly #password: string;
  #port: number | undefined;
  #served = false;

  constructor(options: RedisServerOptions) {
    this.#options = options;
    this.#password = options.password ?? randomBytes(24).toString('base64url');
  }

  get url(): string {
    return `redis://:${this.#password}@127.0.0.1:${this.#port}`;
  }

  async launch(): Promise<Launch> {
    const { binary, directory, sink } = this.#options;
    mkdirSync(directory, { recursive: true });
    // Until it has served once nobody knows the address: should another process be faster to take
    // the free port, the next attempt may use another.
    if (this.#port === undefined || !this.#served) this.#port = await freePort();
    const [command, ...parameters] = [
      ...(await dieWithParent()),
      binary.path,
      this.#configure(this.#port),
    ];
    const output = sink.stdio(this.name);
    const child = spawn(command ?? binary.path, parameters, {
      cwd: directory,
      env: { ...process.env, ...binary.env },
      stdio: ['ignore', output, output],
      detached: true,
    });
    stopAtExit(child);
    sink.attach(this.name, child, { quiet: true });
    const started = startedOrDead(this.name, child, this.#untilItServes(child), {
      timeoutMs: START_TIMEOUT_MS,
      reason: () => lastWords(sink.tail(this.name, 5), child.pid),
    });
    return { child, started };
  }

  /** In a file, since anybody may read the command lines of processes. @returns its path */
  #configure(port: number): string {
    const { directory } = this.#options;
    const file = join(directory, 'redis.conf');
    const values = { ...settings(port, directory), requirepass: this.#password };
    const lines = Object.entries(values).map(
      ([name, value]) => `${name} ${JSON.stringify(value)}\n`,
    );
    writeFileSync(file, lines.join(''), { mode: 0o600 });
    return file;
  }

  async #untilItServes(child: ChildProcess): Promise<void> {
    await untilAnswers(this.url, child);
    this.#served = true;
  }
}

function settings(port: number, directory: string): Record<string, string> {
  return {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
    daemonize: 'no',
  };
}

/**
 * Redis has no channel on which to notice that its supervisor is gone. On Linux the kernel can
 * tell it; elsewhere the next start finds the orphan.
 */
function dieWithParent(): Promise<readonly string[]> {
  deathSignal ??= findDeathSignal();
  return deathSignal;
}

let deathSignal: Promise<readonly string[]> | undefined;

async function findDeathSignal(): Promise<readonly string[]> {
  const setpriv = process.platform === 'linux' ? findCommand('setpriv') : undefined;
  if (setpriv === undefined) return [];
  const parameters = ['--pdeathsig', 'KILL'];
  try {
    await run(setpriv, [...parameters, 'true']);
    return [setpriv, ...parameters];
  } catch (error) {
    // Not every setpriv knows it; without, the next start cleans up.
    if (error instanceof CommandFailed) return [];
    throw error;
  }
}

/** Also when the program that started it ends without stopping it. */
function stopAtExit(child: ChildProcess): void {
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** Fulfilled when this very server answers, not another one that took the port. */
async function untilAnswers(url: string, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    const facts = await askRedis(url);
    if (facts?.pid === child.pid) return;
    await delay(20);
  }
  await new Promise(() => {});
}

/** What a Redis says about itself; undefined when nothing answers there. */
export async function askRedis(
  url: string,
): Promise<{ readonly pid: number; readonly directory: string } | undefined> {
  const redis = clientOnce(url);
  try {
    const info = await redis.info('server');
    const [, directory = ''] = (await redis.config('GET', 'dir')) as string[];
    return { pid: Number(/^process_id:(\d+)/m.exec(info)?.[1]), directory };
  } catch {
    return undefined;
  } finally {
    redis.disconnect();
  }
}

/** Asks a Redis to stop, and says nothing when it is gone already. */
export async function shutDownRedis(url: string): Promise<void> {
  const redis = clientOnce(url);
  try {
    await redis.call('SHUTDOWN', 'NOSAVE');
  } catch {
    // It closes the connection instead of answering.
  } finally {
    redis.disconnect();
  }
}

function clientOnce(url: string): Redis {
  const redis = new Redis(url, {
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
    commandTimeout: 1_000,
    // After a refused connection it would keep the program alive for so long.
    disconnectTimeout: 50,
    lazyConnect: true,
  });
  redis.on('error', () => {});
  return redis;
}
