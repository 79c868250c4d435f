import { setImmediate } from 'node:timers/promises';

/**
 * Runs statements of SQLite in a turn of the event loop of their own. An engine in this process may hold the lock
 * between two promises of one turn, and a statement that waits for the lock stops the engine, too.
 */
export async function inOwnTurn<T>(work: () => T): Promise<T> {
  await setImmediate();
  return work();
}
