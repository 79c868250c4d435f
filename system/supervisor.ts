import { join } from 'node:path';
import type { Environment, Logger } from '../chassis/index.ts';
import type { DataLock } from './data-lock.ts';
import { firstLoad } from './first-load.ts';
import type { Load } from './first-load.ts';
import { StartFailed } from './launcher.ts';
import type { LogSink } from './log-sink.ts';
import { NodeProcess } from './node-process.ts';
import type { ProcessDefinition } from './process-definition.ts';
import { untilReady } from './readiness.ts';
import { findRedis } from './redis-find.ts';
import { RedisServer } from './redis-server.ts';
import { Supervised } from './supervised.ts';
import type { Death, Rebirth } from './supervised.ts';
import { reachableHost, sharedVariables } from './system-env.ts';
import { removeSystemFile, writeSystemFile } from './system-file.ts';
import type { ProcessEntry } from './system-file.ts';
import type { System } from './system.ts';

/** Longer than a process gives itself to close. */
const STOP_GRACE_MS = 10_000;
const READY_TIMEOUT_MS = 60_000;
const REDIS_ATTEMPTS = 3;

interface SupervisorOptions {
  readonly dataDir: string;
  readonly env: Environment;
  readonly host: string;
  readonly log: Logger;
  readonly sink: LogSink;
  readonly processes: readonly ProcessDefinition[];
  /** Port by variable. */
  readonly ports: Readonly<Record<string, number>>;
  /** Released when the last process is gone. */
  readonly lock: DataLock;
}

/** Starts the processes in order, keeps them alive, and stops them in reverse order. */
export class Supervisor implements System {
  readonly #options: SupervisorOptions;
  readonly #startedAt = new Date().toISOString();
  /** In the order in which they started. */
  readonly #children = new Map<string, Supervised>();
  readonly #variables: Record<string, string>;
  readonly #deaths = new Set<(death: Death) => void>();
  readonly #rebirths = new Set<(rebirth: Rebirth) => void>();
  #end: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#variables = sharedVariables(options.env, options.dataDir, options.processes);
  }

  get dataDir(): string {
    return this.#options.dataDir;
  }

  get env(): Readonly<Record<string, string>> {
    return this.#variables;
  }

  get redisUrl(): string {
    return this.#variables['REDIS_URL'] ?? '';
  }

  get names(): readonly string[] {
    return [...this.#children.keys()];
  }

  get urls(): Readonly<Record<string, string>> {
    const urls: Record<string, string> = {};
    for (const [name, { launcher }] of this.#children) {
      urls[name] = launcher.url;
      if (launcher.adminUrl !== undefined) urls['admin'] = launcher.adminUrl;
    }
    return urls;
  }

  /** Starts everything and waits until it is ready; the caller stops what started on an error. */
  async start(load: Load, signal: AbortSignal): Promise<void> {
    const { processes, env, dataDir, log } = this.#options;
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    signal.throwIfAborted();
    await this.#startRedis();
    for (const definition of processes) {
      if (definition.name === 'monolith' && !env['MONOLITH_DATABASE_URL']) {
        await firstLoad(load, { dataDir, env: { ...env, ...this.#variables }, log });
      }
      await this.#startProcess(definition);
    }
    await Promise.all(this.#httpNames().map((name) => this.#untilReady(name, signal)));
    log.info({ urls: this.urls }, 'ready');
  }

  pid(name: string): number | undefined {
    return this.#child(name).pid;
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#child(name).kill(signal);
  }

  pause(name: string): void {
    this.#child(name).signal('SIGSTOP');
  }

  resume(name: string): void {
    this.#child(name).signal('SIGCONT');
  }

  async ready(name?: string): Promise<void> {
    const names = name === undefined ? this.#httpNames() : [name];
    const never = new AbortController().signal;
    await Promise.all(names.map((each) => this.#untilReady(each, never)));
  }

  onExit(callback: (death: Death) => void): () => void {
    this.#deaths.add(callback);
    return () => this.#deaths.delete(callback);
  }

  onRestart(callback: (rebirth: Rebirth) => void): () => void {
    this.#rebirths.add(callback);
    return () => this.#rebirths.delete(callback);
  }

  logTail(name: string, lines = 40): string {
    return this.#options.sink.tail(name, lines).join('\n');
  }

  stop(): Promise<void> {
    this.#end ??= this.#stopAll();
    return this.#end;
  }

  async killAll(): Promise<void> {
    const children = [...this.#children.values()];
    // First the signals, all in one go: nobody is to see the others die.
    for (const child of children) child.release();
    for (const child of children) child.signal('SIGKILL');
    await Promise.all(children.map((child) => child.destroy()));
    this.#end ??= Promise.resolve(this.#letGo());
    await this.#end;
  }

  async #stopAll(): Promise<void> {
    for (const child of [...this.#children.values()].toReversed()) {
      await child.stop(STOP_GRACE_MS);
    }
    removeSystemFile(this.#options.dataDir);
    this.#options.log.info('stopped');
    this.#letGo();
  }

  #letGo(): void {
    this.#options.sink.close();
    this.#options.lock.release();
  }

  async #startRedis(): Promise<void> {
    const { env, log, sink, dataDir } = this.#options;
    if (env['REDIS_URL']) {
      this.#variables['REDIS_URL'] = env['REDIS_URL'];
      return;
    }
    const binary = await findRedis({ log });
    const redis = new RedisServer({ binary, sink, directory: join(dataDir, 'redis') });
    await this.#supervise(redis, REDIS_ATTEMPTS);
    this.#variables['REDIS_URL'] = redis.url;
    this.#writeSystemFile();
  }

  async #startProcess(definition: ProcessDefinition): Promise<void> {
    const { env, dataDir, sink, ports, host } = this.#options;
    const wanted = definition.ports.map(({ variable }) => [variable, String(ports[variable])]);
    const child = new NodeProcess(definition, {
      env: { ...env, ...this.#variables, ...Object.fromEntries(wanted) },
      dataDir,
      sink,
      host: reachableHost(host),
    });
    await this.#supervise(child);
    this.#variables[definition.urlVariable] = child.url;
    if (child.adminUrl !== undefined) this.#variables['ADMIN_URL'] = child.adminUrl;
    this.#writeSystemFile();
  }

  async #supervise(launcher: RedisServer | NodeProcess, attempts = 1): Promise<void> {
    const child = new Supervised(launcher, {
      log: this.#options.log,
      onDeath: (death) => {
        for (const callback of this.#deaths) callback(death);
      },
      onRebirth: (rebirth) => {
        this.#writeSystemFile();
        for (const callback of this.#rebirths) callback(rebirth);
      },
    });
    if (this.#end !== undefined) throw new StartFailed('stopped while it was starting');
    this.#children.set(launcher.name, child);
    await child.start(attempts);
  }

  #writeSystemFile(): void {
    const processes: Record<string, ProcessEntry> = {};
    for (const [name, { pid, launcher }] of this.#children) {
      if (pid === undefined) continue;
      const { url, adminUrl } = launcher;
      processes[name] = { pid, url, ...(adminUrl === undefined ? {} : { adminUrl }) };
    }
    writeSystemFile(this.#options.dataDir, {
      pid: process.pid,
      startedAt: this.#startedAt,
      redisUrl: this.redisUrl,
      flagsFile: this.#variables['FIG_FLAGS_FILE'] ?? '',
      processes,
      env: this.#variables,
    });
  }

  #child(name: string): Supervised {
    const child = this.#children.get(name);
    if (child) return child;
    throw new Error(`there is no process ${name}; there are ${this.names.join(', ')}`);
  }

  #httpNames(): string[] {
    return this.names.filter((name) => name !== 'redis');
  }

  /** A front door passes `/readyz` on like any other path, so its admin port is asked as well. */
  async #untilReady(name: string, signal: AbortSignal): Promise<void> {
    const { launcher } = this.#child(name);
    const options = { timeoutMs: READY_TIMEOUT_MS, signal };
    await untilReady(name, () => launcher.url, options);
    if (launcher.adminUrl === undefined) return;
    await untilReady(name, () => launcher.adminUrl ?? launcher.url, options);
  }
}
