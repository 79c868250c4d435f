import type { ChildProcess } from 'node:child_process';

/** One incarnation of a process: the child, and the moment from which it serves. */
export interface Launch {
  readonly child: ChildProcess;
  /** Fulfilled when it listens; rejected with the reason when it ends or takes too long before. */
  readonly started: Promise<void>;
}

/** Knows how to start a process, again and again, at the same address. */
export interface Launcher {
  readonly name: string;
  /** Where it serves; known once the first incarnation has started. */
  readonly url: string;
  readonly adminUrl?: string | undefined;
  /** What asks it to stop; SIGTERM unless it says so. */
  readonly stopSignal?: NodeJS.Signals;
  launch(): Launch | Promise<Launch>;
}

/** A process did not come up; the message says which and why. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
}

/** Rejects when the child ends or fails, or when `timeoutMs` pass, before `started` is fulfilled. */
export async function startedOrDead(
  name: string,
  child: ChildProcess,
  started: Promise<void>,
  { timeoutMs, reason }: { timeoutMs: number; reason: () => string },
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const failed = new Promise<never>((_resolve, reject) => {
    const fail = (what: string): void => reject(new StartFailed(`${name} ${what}`));
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    // `close`, not `exit`: by then the last words of the child have arrived.
    child.once('close', (code, signal) => {
      // Its later end is nobody's business here, and what it wrote may be gone by then.
      if (over) return;
      const why = reason();
      fail(
        `could not start${why === '' ? ` (it ended with ${signal ?? `code ${code}`})` : `: ${why}`}`,
      );
    });
    timer = setTimeout(() => fail(`did not listen within ${timeoutMs / 1000} s`), timeoutMs);
  });
  try {
    await Promise.race([started, failed]);
  } finally {
    over = true;
    clearTimeout(timer);
    failed.catch(() => {});
  }
}
