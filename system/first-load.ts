import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Logger } from '../chassis/index.ts';
import { compiled, run } from '../supervisor/index.ts';

/** What a new system's monolith is filled with; `nothing` leaves it empty. */
export type Load = 'sample' | 'nothing' | { readonly data: string };

interface LoadOptions {
  readonly dataDir: string;
  readonly env: Environment;
  readonly log: Logger;
}

/**
 * Fills the monolith's database once, on the first start with a data folder: what was sold since
 * must not be put back. A load that was cut off is done again.
 * @throws CommandFailed with the loader's message, such as the place of the damage in a CSV file
 */
export async function firstLoad(load: Load, { dataDir, env, log }: LoadOptions): Promise<void> {
  if (load === 'nothing') return;
  const stateFile = join(dataDir, 'load.json');
  const database = join(dataDir, 'monolith.db');
  const state = existsSync(stateFile) ? readFileSync(stateFile, 'utf8').trim() : undefined;
  const cutOff = state !== undefined && state !== DONE;
  if (!cutOff && (state === DONE || existsSync(database))) return;
  const parameters = load === 'sample' ? ['--sample'] : ['--data', load.data];
  log.info({ parameters }, 'first start: loading the monolith');
  writeFileSync(stateFile, `${BEGUN}\n`);
  await run(process.execPath, [compiled('monolith/load.js'), ...parameters], { env: { ...env } });
  writeFileSync(stateFile, `${DONE}\n`);
}

const BEGUN = JSON.stringify({ state: 'begun' });
const DONE = JSON.stringify({ state: 'done' });
