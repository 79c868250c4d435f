import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/**
 * Calls `onCommit` soon after another process commits: a commit writes to the database's log file,
 * and the system tells who watches it. A hint only, and missing where the file or the watch can't
 * be had: whoever needs to know for sure also looks now and then.
 */
export class CommitWatch {
  readonly #file: string | null;
  readonly #onCommit: () => void;
  #watcher: FSWatcher | undefined;
  #told = false;

  constructor(file: string | null, onCommit: () => void) {
    this.#file = file;
    this.#onCommit = onCommit;
  }

  /** Starts watching, or starts again after the file was replaced. */
  ensure(): void {
    if (this.#watcher !== undefined || this.#file === null) return;
    try {
      this.#watcher = watch(this.#file, { persistent: false }, (event) => {
        if (event === 'rename') this.close();
        this.#tellOnce();
      });
      this.#watcher.on('error', () => this.close());
    } catch {
      // No log file yet: it comes with the first connection that writes.
      this.#watcher = undefined;
    }
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** One commit is several writes, and a busy database has many commits a millisecond. */
  #tellOnce(): void {
    if (this.#told) return;
    this.#told = true;
    setImmediate(() => {
      this.#told = false;
      if (this.#watcher !== undefined) this.#onCommit();
    });
  }
}
