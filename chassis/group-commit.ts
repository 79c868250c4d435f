import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as immediate } from 'node:timers/promises';
import type { Knex } from 'knex';

/** How many transactions share a commit at most: the first of them waits for the last. */
const MOST_TOGETHER = 8;

type Work<T> = (trx: Knex.Transaction) => Promise<T>;

interface Entry {
  readonly work: Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs write transactions one after the other; those that wait meanwhile share a commit, which takes
 * the lock and waits for the disk once for all of them. So a database that can't keep up gets faster
 * with the length of the queue. Each is a transaction as if it were alone: it sees what those before it
 * did, is undone alone when it throws, and ends for its caller when it is on the disk.
 */
export class GroupCommit {
  readonly #write: Knex;
  #waiting: Entry[] = [];
  #running = false;

  /** @param write a SQLite connection that nobody else uses */
  constructor(write: Knex) {
    this.#write = write;
  }

  /**
   * @returns what `work` has returned, once it is committed
   * @throws what `work` throws, or why nothing could be begun or committed; nothing has happened then
   */
  run<T>(work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const entry = {
        // It runs when its turn comes, and still on behalf of who asked.
        work: this.#running ? AsyncLocalStorage.bind(work) : work,
        resolve: resolve as (value: unknown) => void,
        reject,
      };
      this.#waiting.push(entry);
      if (!this.#running) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const [first, ...others] = this.#waiting.splice(0, MOST_TOGETHER);
      if (first)
        await (others.length === 0 ? this.#alone(first) : this.#together([first, ...others]));
      // Nothing here waits for anything outside: the rest of the process must be given its turn.
      if (this.#waiting.length > 0) await immediate();
    }
    this.#running = false;
  }

  async #alone({ work, resolve, reject }: Entry): Promise<void> {
    await this.#write.transaction(work).then(resolve, reject);
  }

  async #together(entries: readonly Entry[]): Promise<void> {
    const answers: (() => void)[] = [];
    let lost: unknown;
    try {
      await this.#write.transaction(async (trx) => {
        for (const { work, resolve, reject } of entries) {
          await trx.raw('SAVEPOINT one');
          try {
            const value = await work(trx);
            answers.push(() => resolve(value));
          } catch (error) {
            // Where the savepoint is lost, SQLite has rolled back everything, as on a full disk.
            lost = error;
            await trx.raw('ROLLBACK TO one');
            lost = undefined;
            answers.push(() => reject(error));
          }
          await trx.raw('RELEASE one');
        }
      });
    } catch (error) {
      // Whoever had gone well has not happened either.
      for (const { reject } of entries) reject(lost ?? error);
      return;
    }
    for (const answer of answers) answer();
  }
}
