import { existsSync } from 'node:fs';
import { CommandFailed, run } from './command.ts';
import { compiled } from './project.ts';
import type { Surroundings } from './processes-options.ts';

/** It takes a second, so that one that takes so long, in ms, hangs. */
const FLAGS_MS = 30_000;

/**
 * Makes the flag file where there is none.
 * @param words more of `fig flags init`
 * @throws CommandFailed with what the command line says
 */
export async function firstFlags(
  words: readonly string[],
  { env, log }: Surroundings,
): Promise<void> {
  if (env['UNLEASH_URL'] || existsSync(env['FIG_FLAGS_FILE'] ?? '')) return;
  log.info({ file: env['FIG_FLAGS_FILE'] }, 'first start: making the flag file');
  const program = compiled('strangler/cli/main.js');
  const command = [program, 'flags', 'init', '--yes', '--keep', ...words];
  const attempt = (): Promise<string> =>
    run(process.execPath, command, { env: { ...env }, timeout: FLAGS_MS });
  // A process was seen once that waited for ever for a file to be read: the C library of Debian 12 can lose
  // the signal that wakes a thread (glibc bug 25847).
  await attempt().catch((error: unknown) => {
    if (!(error instanceof CommandFailed && error.isLate)) throw error;
    log.warn({ err: error }, 'the flag file is made in a second attempt');
    return attempt();
  });
}
