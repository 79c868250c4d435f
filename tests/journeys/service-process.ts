import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { built } from '../support/index.ts';

/** A service in a process of its own, which can be killed and started again. */
export class ServiceProcess {
  readonly #name: string;
  #child: ChildProcess | undefined;
  url = '';

  /** @param name its folder in `extracted/` */
  constructor(name: string) {
    this.#name = name;
  }

  /** @returns when it listens */
  async start(env: Readonly<Record<string, string>>): Promise<void> {
    const main = new URL(`../../extracted/${this.#name}/main.ts`, import.meta.url);
    const port = `${this.#name.toUpperCase().replace('-', '_')}_PORT`;
    this.#child = fork(built(main), [], {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env['PATH'], [port]: '0', ...env },
    });
    const [message] = (await once(this.#child, 'message')) as [{ ports: { http: number } }];
    this.url = `http://127.0.0.1:${message.ports.http}`;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}
