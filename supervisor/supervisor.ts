import { join } from 'node:path';
import { tokenFile, tokenIn } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import { Children } from './children.ts';
import type { DataLock } from './data-lock.ts';
import type { LogSink } from './log-sink.ts';
import { NodeProcess } from './node-process.ts';
import type { ProcessDefinition } from './process-definition.ts';
import { untilReady } from './readiness.ts';
import { findRedis } from './redis-find.ts';
import { RedisServer } from './redis-server.ts';
import type { Death, Rebirth } from './supervised.ts';
import type { ProcessesOptions, Variables } from './processes-options.ts';
import { removeSystemFile, writeSystemFile } from './system-file.ts';
import type { System } from './system.ts';
import { reachableHost } from './variables.ts';

const READY_TIMEOUT_MS = 60_000;
const REDIS_ATTEMPTS = 3;

type SupervisorOptions = Omit<
  ProcessesOptions,
  'variables' | 'ports' | 'log' | 'flags' | 'signal'
> & {
  readonly variables: Variables;
  readonly host: string;
  readonly log: Logger;
  readonly sink: LogSink;
  /** Port by variable. */
  readonly ports: Readonly<Record<string, number>>;
  /** Released when the last process is gone. */
  readonly lock: DataLock;
};

/** Starts the processes in order, keeps them alive, and stops them in reverse order. */
export class Supervisor implements System {
  readonly #options: SupervisorOptions;
  readonly #startedAt = new Date().toISOString();
  readonly #children: Children;
  readonly #variables: Record<string, string>;
  #end: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#variables = { ...options.variables };
    this.#children = new Children(options.log);
    this.#children.onRebirth(() => this.#writeSystemFile());
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
    return this.#children.names;
  }

  get urls(): Readonly<Record<string, string>> {
    return this.#children.urls;
  }

  /**
   * Starts everything and waits until it is ready; the caller stops what started on an error.
   * @param flags resolves when the flag file is there
   */
  async start(flags: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
    const { processes, before, env, dataDir, log, redis } = this.#options;
    signal.addEventListener('abort', () => void this.stop(), { once: true });
    signal.throwIfAborted();
    await Promise.all([flags, redis ? this.#startRedis() : undefined]);
    const beside: Promise<void>[] = [];
    for (const definition of processes) {
      if (definition.last) await Promise.all(beside);
      await before?.(definition.name, { dataDir, env: { ...env, ...this.#variables }, log });
      const started = this.#startProcess(definition);
      if (definition.beside) {
        // Its failure counts when it is waited for.
        started.catch(() => undefined);
        beside.push(started);
      } else {
        await started;
      }
    }
    await Promise.all(beside);
    const awaited = this.#options.awaitReady === false ? [] : this.#httpNames();
    await Promise.all(awaited.map((name) => this.#untilReady(name, signal)));
    // That of Redis holds its password.
    const { redis: _secret, ...urls } = this.urls;
    log.info({ urls }, this.#options.awaitReady === false ? 'started' : 'ready');
  }

  pid(name: string): number | undefined {
    return this.#children.find(name).pid;
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    return this.#children.find(name).kill(signal);
  }

  pause(name: string): void {
    this.#children.find(name).signal('SIGSTOP');
  }

  resume(name: string): void {
    this.#children.find(name).signal('SIGCONT');
  }

  async ready(name?: string, timeoutMs?: number): Promise<void> {
    const names = name === undefined ? this.#httpNames() : [name];
    const never = new AbortController().signal;
    await Promise.all(names.map((each) => this.#untilReady(each, never, timeoutMs)));
  }

  onExit(callback: (death: Death) => void): () => void {
    return this.#children.onDeath(callback);
  }

  onRestart(callback: (rebirth: Rebirth) => void): () => void {
    return this.#children.onRebirth(callback);
  }

  logTail(name: string, lines = 40): string {
    return this.#options.sink.tail(name, lines).join('\n');
  }

  stop(): Promise<void> {
    this.#end ??= this.#stopAll();
    return this.#end;
  }

  async killAll(): Promise<void> {
    await this.#children.killAtOnce();
    this.#end ??= Promise.resolve(this.#letGo());
    await this.#end;
  }

  async #stopAll(): Promise<void> {
    await this.#children.stopInReverse();
    removeSystemFile(this.#options.dataDir);
    this.#options.log.info('stopped');
    this.#letGo();
  }

  #letGo(): void {
    this.#options.sink.close();
    this.#options.lock.release();
  }

  async #startRedis(): Promise<void> {
    const { env, log, sink, dataDir, redisCache } = this.#options;
    if (env['REDIS_URL']) {
      this.#variables['REDIS_URL'] = env['REDIS_URL'];
      return;
    }
    const binary = await findRedis({ log, ...(redisCache && { cacheDir: redisCache }) });
    const redis = new RedisServer({ binary, sink, directory: join(dataDir, 'redis') });
    await this.#children.start(redis, REDIS_ATTEMPTS);
    this.#variables['REDIS_URL'] = redis.url;
    this.#writeSystemFile();
  }

  async #startProcess(definition: ProcessDefinition): Promise<void> {
    const { env, dataDir, sink, ports, host, cwd } = this.#options;
    const wanted = definition.ports.map(({ variable }) => [variable, String(ports[variable])]);
    const child = new NodeProcess(definition, {
      env: { ...env, ...this.#variables, ...Object.fromEntries(wanted) },
      dataDir,
      cwd,
      sink,
      host: reachableHost(host),
    });
    await this.#children.start(child);
    this.#variables[definition.urlVariable] = child.url;
    if (child.adminUrl !== undefined) this.#variables['ADMIN_URL'] = child.adminUrl;
    this.#writeSystemFile();
  }

  #writeSystemFile(): void {
    writeSystemFile(this.#options.dataDir, {
      pid: process.pid,
      startedAt: this.#startedAt,
      redisUrl: this.redisUrl,
      flagsFile: this.#variables['FIG_FLAGS_FILE'] ?? '',
      processes: this.#children.entries,
      env: this.#variables,
    });
  }

  #httpNames(): string[] {
    return this.names.filter((name) => name !== 'redis');
  }

  /** A facade passes `/readyz` on like any other path, so its admin port is asked, as soon as it is known. */
  async #untilReady(
    name: string,
    signal: AbortSignal,
    timeoutMs = READY_TIMEOUT_MS,
  ): Promise<void> {
    const { launcher } = this.#children.find(name);
    const token = tokenIn(tokenFile(this.#variables));
    const options = { timeoutMs, token, signal };
    await untilReady(name, () => launcher.adminUrl ?? launcher.url, options);
  }
}
