import { setImmediate as immediate, setTimeout as delay } from 'node:timers/promises';

/** How long a transaction waits for the database's one writer before it gives up. */
const BUSY_DEADLINE_MS = 10_000;

/** For how long it naps between two looks: most transactions are shorter than a timer's least wait. */
const NAPPING_MS = 2;
const NAP_MS = 0.2;
const napping = new Int32Array(new SharedArrayBuffer(4));

/**
 * Begins a transaction as soon as no other process has SQLite's write lock, while the rest of this
 * process goes on.
 * @param begin takes the lock, or throws SQLITE_BUSY at once
 * @throws what `begin` throws, when it is something else or others keep the lock for 10 s
 */
export async function onceUnlocked(begin: () => unknown): Promise<void> {
  const started = performance.now();
  for (;;) {
    try {
      await begin();
      return;
    } catch (error) {
      const waited = performance.now() - started;
      if (!isBusy(error) || waited > BUSY_DEADLINE_MS) throw error;
      await (waited < NAPPING_MS ? nap() : delay(1 + Math.random() * 2));
    }
  }
}

/**
 * Waits for a fraction of a millisecond, asleep: who looks for the lock without pause may keep its
 * holder from the processor. What else there is to do in this process has its turn afterwards.
 */
export async function nap(): Promise<void> {
  Atomics.wait(napping, 0, 0, NAP_MS);
  await immediate();
}

/** Whether an error says that another connection has the lock. */
export function isBusy(error: unknown): boolean {
  return String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY');
}
