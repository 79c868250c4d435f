import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import type { Environment } from '../chassis/index.ts';
import type { FigConfig } from './config.ts';

const build = z.object({ name: z.string(), version: z.string() });
const run = z.object({
  ok: z.boolean(),
  /** ms since 1970. */
  at: z.number(),
  /** Who answers today, and who is to tomorrow. */
  old: build,
  new: build,
});
const results = z.object({ schemaVersion: z.literal(1), capabilities: z.record(z.string(), run) });

/** A program, and which build of it. */
export type Build = z.output<typeof build>;
/** Whether two builds answered alike. */
export type ContractRun = z.output<typeof run>;

/** Where the results of contract runs are kept. */
export function contractFile(
  env: Environment,
  { contractFile: file }: Pick<FigConfig, 'contractFile'> = {},
): string {
  return file ?? resolve(env['FIG_DATA_DIR'] || '.fig', 'contract.json');
}

/**
 * The newest result of each capability; nothing when there is no file.
 * @throws an error when the file is damaged
 */
export async function readContractRuns(
  file: string,
): Promise<Readonly<Record<string, ContractRun>>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  return results.parse(JSON.parse(text)).capabilities;
}

/** Keeps results, beside those of other capabilities. */
export async function saveContractRuns(
  file: string,
  runs: Readonly<Record<string, ContractRun>>,
): Promise<void> {
  const known = await readContractRuns(file).catch(() => ({}));
  const text = JSON.stringify({ schemaVersion: 1, capabilities: { ...known, ...runs } }, null, 2);
  await mkdir(dirname(file), { recursive: true });
  // A reader must never see half of it.
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${text}\n`);
  await rename(temporary, file);
}
