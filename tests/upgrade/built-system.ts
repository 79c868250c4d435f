import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readSystemFile, withoutSystem } from '../../system/index.ts';
import { eventually, FREE_PORTS, request } from '../support/index.ts';

interface BuiltOptions {
  /** A built clone of some commit. */
  readonly build: string;
  readonly dataDir: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** A system of another build: only what its users see of it is used here. */
export class BuiltSystem {
  readonly #options: BuiltOptions;
  readonly #supervisor: ChildProcess;

  constructor(options: BuiltOptions) {
    this.#options = options;
    this.#supervisor = spawn(process.execPath, ['dist/system/main.js'], {
      cwd: options.build,
      env: this.#env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  get #env(): NodeJS.ProcessEnv {
    const { dataDir, variables } = this.#options;
    const own = { ...FREE_PORTS, FIG_DATA_DIR: dataDir, FIG_CONTRACT: 'off', ...variables };
    return { ...withoutSystem(process.env), ...own };
  }

  url(name: string): string {
    const entry = readSystemFile(this.#options.dataDir)?.processes[
      name === 'admin' ? 'facade' : name
    ];
    return (name === 'admin' ? entry?.adminUrl : entry?.url) ?? '';
  }

  async ready(): Promise<void> {
    await eventually(
      async () => (await request('GET', `${this.url('admin')}/readyz`)).status === 200,
      { timeoutMs: 120_000, intervalMs: 200 },
    );
  }

  /** Runs a command of that build's `fig`. @throws when it fails */
  async fig(...words: string[]): Promise<unknown> {
    const { build, dataDir } = this.#options;
    const env = {
      ...withoutSystem(process.env),
      FIG_DATA_DIR: dataDir,
      FIG_CONTRACT: 'off',
      FIG_YES: '1',
    };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(build, 'bin', 'fig'), ...words, '--json'],
      { cwd: build, env },
    );
    return JSON.parse(stdout);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    const pid = readSystemFile(this.#options.dataDir)?.processes[name]?.pid;
    if (pid !== undefined) process.kill(pid, signal);
  }

  /** Stops everything in order. */
  async stop(): Promise<void> {
    const ended = once(this.#supervisor, 'exit');
    this.#supervisor.kill('SIGTERM');
    await ended;
  }

  /** Kills everything at once: first who would start others again. */
  async kill(): Promise<void> {
    const pids = Object.values(readSystemFile(this.#options.dataDir)?.processes ?? {});
    const ended = once(this.#supervisor, 'exit');
    this.#supervisor.kill('SIGKILL');
    for (const { pid } of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await ended;
  }
}
