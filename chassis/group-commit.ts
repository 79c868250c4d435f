import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Knex } from 'knex';
import type { WalSync } from './wal-sync.ts';
import { BEGIN } from './sqlite-lock.ts';

type Work<T> = (trx: Knex) => Promise<T>;

/**
 * Runs write transactions one after the other, each committed before the next one begins, and tells
 * their callers when they are on the disk. Nobody waits for the disk with the lock in hand, nor does
 * the process: transactions that are committed while the disk is at work share its next turn.
 */
export class GroupCommit {
  readonly #write: Knex;
  readonly #log: WalSync;
  #waiting: (() => Promise<void>)[] = [];
  #running = false;

  /**
   * @param write a SQLite connection that nobody else uses, and that commits without waiting
   * @param log of its database
   */
  constructor(write: Knex, log: WalSync) {
    this.#write = write;
    this.#log = log;
  }

  /**
   * @returns what `work` has returned, once it is on the disk
   * @throws what `work` throws, or why nothing could be begun or committed; nothing has happened then
   * @throws what the disk says; nobody knows then what has happened, and nothing is begun any more
   */
  run<T>(work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      // It runs when its turn comes, and still on behalf of who asked.
      const bound = this.#running ? AsyncLocalStorage.bind(work) : work;
      this.#waiting.push(async () => {
        try {
          const value = await this.#transaction(bound);
          // The next one need not wait for it.
          this.#log.flushed(this.#waiting.length === 0).then(() => resolve(value), reject);
        } catch (error) {
          reject(error);
        }
      });
      if (!this.#running) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      await next();
      // Nothing here waits for anything outside: the rest of the process must be given its turn.
      if (this.#waiting.length > 0) await immediate();
    }
    this.#running = false;
  }

  async #transaction<T>(work: Work<T>): Promise<T> {
    if (this.#log.failure !== undefined) throw this.#log.failure;
    await this.#write.raw(BEGIN);
    try {
      const value = await work(this.#write);
      await this.#write.raw('COMMIT');
      return value;
    } catch (error) {
      // SQLite may have done so by itself, as on a full disk.
      await this.#write.raw('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }
}
