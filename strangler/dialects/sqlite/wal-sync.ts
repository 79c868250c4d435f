import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/**
 * Syncs a database's write-ahead log to disk. Fig's own connections commit with `synchronous = FULL`, but the
 * business's may commit with NORMAL: others see such a commit before a power cut can no longer take it back.
 */
export class WalSync {
  readonly #path: string;
  #log: Promise<FileHandle> | undefined;
  #failure: unknown;

  /** @param file a database in WAL mode that a connection keeps open meanwhile, and with it the log */
  constructor(file: string) {
    this.#path = `${file}-wal`;
  }

  /**
   * Resolves when all is on the disk that any process committed before the call.
   * @throws what the disk says, and the same from then on: the kernel reports a lost write only once
   */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      // SQLite's own locks are on other files: opening and closing this one releases none of them.
      this.#log ??= open(this.#path, 'r+');
      await (await this.#log).datasync();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Closes the log after a sync under way. */
  async close(): Promise<void> {
    const log = await this.#log?.catch(() => undefined);
    await log?.close();
  }
}
