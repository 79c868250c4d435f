import type { Logger } from '../chassis/index.ts';
import { StartFailed } from './launcher.ts';
import type { Launcher } from './launcher.ts';
import { Supervised } from './supervised.ts';
import type { Death, Rebirth } from './supervised.ts';
import type { ProcessEntry } from './system-file.ts';

/** Longer than a process gives itself to close. */
const STOP_GRACE_MS = 10_000;

/** All processes of a system, in the order in which they started. */
export class Children {
  readonly #log: Logger;
  readonly #byName = new Map<string, Supervised>();
  readonly #deaths = new Set<(death: Death) => void>();
  readonly #rebirths = new Set<(rebirth: Rebirth) => void>();
  #ending = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  /** Base URL by process name, and `admin` for an admin app. */
  get urls(): Readonly<Record<string, string>> {
    const urls: Record<string, string> = {};
    for (const [name, { launcher }] of this.#byName) {
      urls[name] = launcher.url;
      if (launcher.adminUrl !== undefined) urls['admin'] = launcher.adminUrl;
    }
    return urls;
  }

  /** Those that live, as `system.json` lists them. */
  get entries(): Readonly<Record<string, ProcessEntry>> {
    const entries: Record<string, ProcessEntry> = {};
    for (const [name, { pid, launcher }] of this.#byName) {
      if (pid === undefined) continue;
      const { url, adminUrl } = launcher;
      entries[name] = { pid, url, ...(adminUrl === undefined ? {} : { adminUrl }) };
    }
    return entries;
  }

  /** @throws Error naming those that there are, when there is none of this name */
  find(name: string): Supervised {
    const child = this.#byName.get(name);
    if (child) return child;
    throw new Error(`there is no process ${name}; there are ${this.names.join(', ')}`);
  }

  /** @throws StartFailed when it does not come up, or everything is being stopped */
  async start(launcher: Launcher, attempts = 1): Promise<void> {
    if (this.#ending) throw new StartFailed('stopped while it was starting');
    const child = new Supervised(launcher, {
      log: this.#log,
      onDeath: (death) => {
        for (const callback of this.#deaths) callback(death);
      },
      onRebirth: (rebirth) => {
        for (const callback of this.#rebirths) callback(rebirth);
      },
    });
    this.#byName.set(launcher.name, child);
    await child.start(attempts);
  }

  onDeath(callback: (death: Death) => void): () => void {
    this.#deaths.add(callback);
    return () => this.#deaths.delete(callback);
  }

  onRebirth(callback: (rebirth: Rebirth) => void): () => void {
    this.#rebirths.add(callback);
    return () => this.#rebirths.delete(callback);
  }

  /** One after the other: each may still need those that started before it. */
  async stopInReverse(): Promise<void> {
    this.#ending = true;
    for (const child of [...this.#byName.values()].toReversed()) await child.stop(STOP_GRACE_MS);
  }

  /** First the signals, all in one go: nobody is to see the others die. */
  async killAtOnce(): Promise<void> {
    this.#ending = true;
    const children = [...this.#byName.values()];
    for (const child of children) child.release();
    for (const child of children) child.signal('SIGKILL');
    await Promise.all(children.map((child) => child.destroy()));
  }
}
