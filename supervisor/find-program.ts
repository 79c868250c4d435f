import { mkdirSync } from 'node:fs';
import { provisionWithApt, unpacked } from './apt-packages.ts';
import type { Packaged } from './apt-packages.ts';
import { CommandFailed, findCommand } from './command.ts';
import type { Program, Progress } from './program.ts';

interface Search extends Packaged {
  /** What is looked for, as its users call it. */
  readonly name: string;
  /** The program of this machine, if it is installed. */
  readonly installed: string | undefined;
  /** Searched for `apt-get` and `dpkg`. */
  readonly path: string;
  readonly log: Progress;
  /** Makes the error for a machine where it is not to be had, and why fetching it failed. */
  missing(reason?: string): Error;
}

/**
 * A program of this machine, from an earlier download, or downloaded now from the distribution's
 * own packages, which needs no root and installs nothing.
 * @throws what `missing` makes when none of these works
 */
export async function findProgram(search: Search): Promise<Program> {
  const { name, installed, cacheDir, path, log } = search;
  if (installed !== undefined) return { path: installed, env: {} };
  const earlier = await unpacked(search);
  if (earlier !== undefined) return earlier;
  const aptGet = findCommand('apt-get', path);
  const dpkg = findCommand('dpkg', path);
  if (aptGet === undefined || dpkg === undefined) throw search.missing();
  log.info(
    { cacheDir },
    `no ${name} on this machine: fetching one with apt-get, for this folder only`,
  );
  mkdirSync(cacheDir, { recursive: true });
  try {
    return await provisionWithApt({ ...search, aptGet, dpkg });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw search.missing(error.message);
  }
}

/** A message of how to get something, with what kept it from being fetched. */
export function howToGet(lines: readonly string[], reason: string | undefined): string {
  const text = lines.join('\n');
  return reason === undefined ? text : `${text}\n\nFetching it failed: ${reason}`;
}
