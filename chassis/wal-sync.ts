import { close, closeSync, fdatasync, fdatasyncSync, fstatSync, openSync } from 'node:fs';
import { promisify } from 'node:util';

const sync = promisify(fdatasync);
const closeFile = promisify(close);

/** What is put on the disk. */
interface Log {
  /** Puts all on the disk that was written before the call, while the process goes on. */
  sync(): Promise<void>;
  /** The same, and the process waits. */
  syncNow(): void;
  close(): Promise<void>;
}

/** A disk that takes no longer than this is not worth a way to another thread and back, in ms. */
const QUICK_MS = 1;

/**
 * Puts what was committed to a SQLite database without waiting for the disk (`synchronous = NORMAL`) on
 * the disk: its write-ahead log. Everybody who writes goes on meanwhile, and so does the process, unless
 * the disk is quick and nobody else waits; all who ask while the disk is at work are served by one more
 * turn of it.
 */
export class WalSync {
  readonly #log: Log;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: unknown;
  #tookMs = Number.POSITIVE_INFINITY;

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param file of a database in WAL mode, which somebody has open as long as this is used */
  static of(file: string): WalSync {
    return new WalSync(new WriteAheadLog(file));
  }

  /** Why the disk did not take what was committed; what it has of it then, nobody can say. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * @param alone whether nobody would be kept waiting by a process that waits
   * @returns when all is on the disk that was committed before the call, by whatever process
   * @throws what the disk says, and the same from then on
   */
  flushed(alone = true): Promise<void> {
    if (this.#running === undefined) {
      return alone && this.#tookMs < QUICK_MS
        ? this.#sync(() => this.#log.syncNow())
        : this.#start();
    }
    // What is under way may have begun before the caller's commit.
    const start = (): Promise<void> => this.#start();
    return (this.#next ??= this.#running.then(start, start));
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#running, this.#next]);
    await this.#log.close();
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const running = this.#sync(() => this.#log.sync());
    this.#running = running;
    const end = (): void => {
      this.#running = undefined;
    };
    running.then(end, end);
    return running;
  }

  async #sync(turn: () => void | Promise<void>): Promise<void> {
    // A kernel that could not write says so once, and forgets.
    if (this.#failure !== undefined) throw this.#failure;
    const began = performance.now();
    try {
      await turn();
      this.#tookMs = performance.now() - began;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

/** The log beside a database's file. SQLite's own locks are on other files, so it may be opened here, too. */
class WriteAheadLog implements Log {
  readonly #path: string;
  #descriptor: number | undefined;

  constructor(file: string) {
    this.#path = `${file}-wal`;
  }

  async sync(): Promise<void> {
    const descriptor = this.#open();
    // Without a log all is in the database, which is synced before the log goes.
    if (descriptor !== undefined) await sync(descriptor);
  }

  syncNow(): void {
    const descriptor = this.#open();
    if (descriptor !== undefined) fdatasyncSync(descriptor);
  }

  async close(): Promise<void> {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor !== undefined) await closeFile(descriptor);
  }

  /** SQLite removes the log when the last connection closes, and makes another. */
  #open(): number | undefined {
    if (this.#descriptor !== undefined) {
      if (fstatSync(this.#descriptor).nlink > 0) return this.#descriptor;
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
    try {
      return (this.#descriptor = openSync(this.#path, 'r+'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
