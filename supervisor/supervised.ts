import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { backoff } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import type { Launcher } from './launcher.ts';

const BACKOFF = { firstMs: 100, longestMs: 5_000 };
/** One that lived this long was well: its next death is a first one. */
const HEALTHY_MS = 10_000;

/** One incarnation ended without being asked to. */
export interface Death {
  readonly name: string;
  readonly pid: number | undefined;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** One incarnation serves in place of a dead one. */
export interface Rebirth {
  readonly name: string;
  readonly pid: number | undefined;
  readonly at: number;
}

interface SupervisedOptions {
  readonly log: Logger;
  readonly onDeath: (death: Death) => void;
  readonly onRebirth: (rebirth: Rebirth) => void;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One process of the system: started once, and again whenever it dies, until it is stopped. */
export class Supervised {
  readonly launcher: Launcher;
  readonly #options: SupervisedOptions;
  readonly #stop = new AbortController();
  #child: ChildProcess | undefined;
  #ended: Promise<Ending> = Promise.resolve({ code: 0, signal: null });
  #keeping: Promise<void> = Promise.resolve();
  #launchedAt = 0;

  constructor(launcher: Launcher, options: SupervisedOptions) {
    this.launcher = launcher;
    this.#options = options;
  }

  /** Process id of the incarnation that lives now. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** @throws StartFailed when the first incarnation does not come up in so many attempts */
  async start(attempts = 1): Promise<void> {
    try {
      await this.#launch();
    } catch (error) {
      if (attempts <= 1 || this.#stop.signal.aborted) throw error;
      await this.start(attempts - 1);
      return;
    }
    this.#keeping = this.#keepAlive();
  }

  /** Sends a signal to the incarnation that lives now; says whether there was one. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#child?.kill(signal) ?? false;
  }

  /** Sends a signal and waits for the end that it brings. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const ended = this.#ended;
    if (this.signal(signal)) await ended;
  }

  /** From now on its death is its end. */
  release(): void {
    this.#stop.abort();
  }

  /** Asks it to stop, and kills it when it has not after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.release();
    this.signal(this.launcher.stopSignal ?? 'SIGTERM');
    // A process that is paused would never see the request.
    this.signal('SIGCONT');
    const late = setTimeout(() => {
      this.#options.log.warn({ process: this.launcher.name }, 'did not stop in time: killing it');
      this.signal('SIGKILL');
    }, graceMs);
    await this.#ended;
    await this.#keeping;
    clearTimeout(late);
  }

  /** Kills it for good, without asking. */
  async destroy(): Promise<void> {
    this.release();
    this.signal('SIGKILL');
    await this.#ended;
    await this.#keeping;
  }

  async #launch(): Promise<void> {
    this.#launchedAt = performance.now();
    const { child, started } = await this.launcher.launch();
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve({ code: null, signal: null }));
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    // A stop that was asked for while the child was being made would else miss it.
    if (this.#stop.signal.aborted) child.kill('SIGKILL');
    try {
      await started;
    } catch (error) {
      child.kill('SIGKILL');
      await this.#ended;
      this.#child = undefined;
      throw error;
    }
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#stop;
    let deaths = 0;
    for (;;) {
      const { name } = this.launcher;
      const ending = await this.#ended;
      const pid = this.#child?.pid;
      this.#child = undefined;
      if (signal.aborted) return;
      deaths = performance.now() - this.#launchedAt > HEALTHY_MS ? 1 : deaths + 1;
      const backoffMs = backoff(deaths, BACKOFF);
      this.#options.log.warn(
        { process: name, pid, ...ending, backoffMs },
        'died: starting it again',
      );
      this.#options.onDeath({ name, pid, ...ending, at: Date.now() });
      await delay(backoffMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      try {
        await this.#launch();
        // Stopped in the meantime: its end is awaited above.
        if (signal.aborted) continue;
        this.#options.log.info({ process: name, pid: this.pid }, 'serves again');
        this.#options.onRebirth({ name, pid: this.pid, at: Date.now() });
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log.error({ process: name, err: error }, 'could not be started again');
      }
    }
  }
}
