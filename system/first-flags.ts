import { existsSync, readdirSync } from 'node:fs';
import type { Environment, Logger } from '../chassis/index.ts';
import { CommandFailed, run } from './command.ts';
import { compiled } from './project.ts';

/** It takes a second, so that one that takes so long, in ms, hangs. */
const FLAGS_MS = 30_000;

interface FlagsOptions {
  readonly dataDir: string;
  /** What the processes get, too. */
  readonly env: Environment;
  readonly log: Logger;
}

/**
 * Makes the flag file on the first start with a data folder. Later a file that is missing was lost,
 * and what it asked for must not be made up: then no process gets ready, and says why.
 * @throws CommandFailed with what the command line says
 */
export async function firstFlags({ dataDir, env, log }: FlagsOptions): Promise<void> {
  if (env['UNLEASH_URL'] || existsSync(env['FIG_FLAGS_FILE'] ?? '')) return;
  const isUsed = readdirSync(dataDir).some((name) => name === 'load.json' || name.endsWith('.db'));
  if (isUsed) return;
  // Databases elsewhere may have been moved already, whatever this folder knows.
  const elsewhere = Object.entries(env).some(
    ([name, url]) => name.endsWith('_DATABASE_URL') && url && !url.includes(dataDir),
  );
  log.info({ file: env['FIG_FLAGS_FILE'] }, 'first start: making the flag file');
  const words = ['flags', 'init', '--yes', '--keep', ...(elsewhere ? [] : ['--new'])];
  const program = compiled('strangler/cli/main.js');
  const attempt = (): Promise<string> =>
    run(process.execPath, [program, ...words], { env: { ...env }, timeout: FLAGS_MS });
  // A process was seen once that waited for ever for a file to be read: the C library of Debian 12 can lose
  // the signal that wakes a thread (glibc bug 25847).
  await attempt().catch((error: unknown) => {
    if (!(error instanceof CommandFailed && error.isLate)) throw error;
    log.warn({ err: error }, 'the flag file is made in a second attempt');
    return attempt();
  });
}
