import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import type { CommitWatch } from '../../sides/side-database.ts';

/**
 * A commit writes to the database's log file, and the system tells who watches it; it does not
 * where the file or the watch can't be had.
 */
export class WalWatch implements CommitWatch {
  readonly #file: string;
  readonly #onCommit: () => void;
  #watcher: FSWatcher | undefined;
  #told = false;

  constructor(file: string, onCommit: () => void) {
    this.#file = file;
    this.#onCommit = onCommit;
  }

  ensure(): boolean {
    if (this.#watcher !== undefined) return true;
    try {
      this.#watcher = watch(this.#file, { persistent: false }, (event) => {
        if (event === 'rename') this.close();
        this.#tellOnce();
      });
      this.#watcher.on('error', () => this.close());
      return true;
    } catch {
      // No log file yet: it comes with the first connection that writes.
      this.#watcher = undefined;
      return false;
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
