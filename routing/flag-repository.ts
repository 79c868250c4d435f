import { EventEmitter } from 'node:events';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../chassis/index.ts';
import type { FlagDocument } from './flag-file.ts';
import { FlagFileError, parseFlags, reasonOf } from './flag-file.ts';
import { isInForce } from './flag-rule.ts';
import { Legibility } from './legibility.ts';

/** Some file systems give no notice of changes; reading this often is the safety net. */
const POLL_MS = 1_000;

/**
 * The file behind Unleash's own client: same strategies as with a server, no server. A file that
 * is damaged or gone leaves the last known flags in force.
 */
export class FlagFileRepository extends EventEmitter {
  readonly legibility: Legibility;
  readonly #file: string;
  readonly #flags: ReadonlySet<string>;
  #text: string | undefined;
  #document: FlagDocument | undefined;
  #features = new Map<string, FlagDocument['features'][number]>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #loading: Promise<void> | undefined;

  /** @param flags that the file should hold: one that never had any of them is not the right one */
  constructor(file: string, flags: readonly string[], log: Logger) {
    super();
    this.#file = file;
    this.#flags = new Set(flags);
    this.legibility = new Legibility('file', file, log);
  }

  async start(): Promise<void> {
    this.#watcher = this.#watch();
    this.#timer = setInterval(() => void this.reload(), POLL_MS).unref();
    await this.reload();
    this.emit('ready');
  }

  stop(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
    this.removeAllListeners();
  }

  getToggle(name: string): FlagDocument['features'][number] | undefined {
    return this.#features.get(name);
  }

  getToggles(): FlagDocument['features'] {
    return [...this.#features.values()];
  }

  getTogglesWithSegmentData(): FlagDocument['features'] {
    return this.getToggles();
  }

  getSegment(id: number): unknown {
    return this.#document?.segments?.find((segment) => segment.id === id);
  }

  /** Reads the file; emits `changed` when it says something new. Never throws. */
  async reload(): Promise<void> {
    // Readers may not overtake each other, or an older text could win.
    const before = this.#loading ?? Promise.resolve();
    const mine = before.then(() => this.#read());
    this.#loading = mine;
    await mine;
  }

  /** The folder, not the file: an atomic rename puts another file in its place. */
  #watch(): FSWatcher | undefined {
    try {
      const name = basename(this.#file);
      const watcher = watch(dirname(this.#file), { persistent: false }, (_event, changed) => {
        if (changed === null || changed === name) void this.reload();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      // It is read every second anyway, which tells what is wrong.
      return undefined;
    }
  }

  async #read(): Promise<void> {
    try {
      const text = await readFile(this.#file, 'utf8');
      const isNews = text !== this.#text;
      if (isNews) this.#adopt(text);
      this.legibility.read();
      if (isNews) this.emit('changed', this.getToggles());
    } catch (error) {
      this.legibility.failed(reasonOf(error));
    }
  }

  #adopt(text: string): void {
    const document = parseFlags(text);
    if (this.#document === undefined) refuseStranger(document, this.#flags);
    this.#text = text;
    this.#document = document;
    this.#features = new Map(document.features.map((known) => [known.name, inForce(known)]));
  }
}

/** At a cold start there is nothing to compare it with: emptied by accident, it would ask for nothing. */
function refuseStranger({ features }: FlagDocument, flags: ReadonlySet<string>): void {
  if (flags.size === 0 || features.some(({ name }) => flags.has(name))) return;
  const wanted = [...flags].slice(0, 3).join(', ');
  throw new FlagFileError(`it holds none of the flags ${wanted}${flags.size > 3 ? ' ...' : ''}`);
}

/** As a server tells them: without the strategies that were turned off. */
function inForce(feature: FlagDocument['features'][number]): FlagDocument['features'][number] {
  const strategies = feature.strategies ?? [];
  const left = strategies.filter(isInForce);
  const enabled = feature.enabled && (left.length > 0 || strategies.length === 0);
  return { ...feature, enabled, strategies: left };
}
