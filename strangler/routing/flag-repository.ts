import { EventEmitter } from 'node:events';
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../chassis/index.ts';
import type { FlagDocument } from './flag-file.ts';
import { parseFlags } from './flag-file.ts';

/** Some file systems give no notice of changes; reading this often is the safety net. */
const POLL_MS = 1_000;

/**
 * The file behind Unleash's own client: same strategies as with a server, no server. A file that
 * is damaged or gone leaves the last known flags in force.
 */
export class FlagFileRepository extends EventEmitter {
  readonly #file: string;
  readonly #log: Logger;
  #text: string | undefined;
  #document: FlagDocument | undefined;
  #features = new Map<string, FlagDocument['features'][number]>();
  #complaint: string | undefined;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #loading: Promise<void> | undefined;

  constructor(file: string, log: Logger) {
    super();
    this.#file = file;
    this.#log = log;
  }

  /** Whether flags have ever been read: without, nothing may be concluded from a flag being off. */
  get loaded(): boolean {
    return this.#document !== undefined;
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
      watcher.on('error', (error) => this.#complain(error));
      return watcher;
    } catch (error) {
      this.#complain(error);
      return undefined;
    }
  }

  async #read(): Promise<void> {
    try {
      const text = await readFile(this.#file, 'utf8');
      if (text === this.#text) return;
      const document = parseFlags(text);
      this.#text = text;
      this.#document = document;
      this.#features = new Map(document.features.map((known) => [known.name, known]));
      this.#complaint = undefined;
      this.emit('changed', document.features);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Once for each different trouble: the poll would repeat it every second. */
  #complain(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message === this.#complaint) return;
    this.#complaint = message;
    this.#log.error(
      { file: this.#file, reason: message },
      this.loaded
        ? 'the flag file cannot be read; the last known flags stay in force'
        : 'the flag file cannot be read; every flag counts as off until it can',
    );
  }
}
