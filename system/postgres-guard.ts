import { spawn } from 'node:child_process';

/** Sees to it that nothing is left of a server. */
export interface Guard {
  /** Ends what still runs and removes the folder. */
  dismiss(): Promise<void>;
}

/**
 * Ends when its input does, which the operating system closes with whoever holds the other end,
 * however that ended. It works on every system, unlike a signal at the death of the parent.
 */
const SCRIPT = `
cat > /dev/null
pid=$(head -n 1 "$0/data/postmaster.pid" 2> /dev/null)
if [ -n "$pid" ]; then
  kill -QUIT "$pid" 2> /dev/null
  while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
fi
rm -rf "$0"`;

/** Watches over the server in a folder until it is dismissed, or this process ends. */
export function guardPostgres(directory: string): Guard {
  const child = spawn('sh', ['-c', SCRIPT, directory], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    dismiss: () => {
      child.ref();
      child.stdin.end();
      return ended;
    },
  };
}
