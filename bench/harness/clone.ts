import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A clone's commit, with a `+` when there is more than that in it; its folder's name without git. */
export async function versionOf(folder: string): Promise<string> {
  const git = async (...words: string[]): Promise<string> =>
    (await run('git', ['-C', folder, ...words])).stdout.trim();
  try {
    const commit = await git('rev-parse', '--short', 'HEAD');
    return (await git('status', '--porcelain')) === '' ? commit : `${commit}+`;
  } catch {
    return basename(folder);
  }
}

/** Whether two clones were built from different sources below a folder. */
export async function sourcesDiffer(
  below: string,
  [one, other]: readonly [string, string],
): Promise<boolean> {
  const digests = await Promise.all(
    [one, other].map((folder) => digest(join(folder, 'dist', below))),
  );
  return digests[0] !== digests[1];
}

async function digest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const files = await readdir(folder, { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.js')).toSorted()) {
    hash.update(file).update(await readFile(join(folder, file)));
  }
  return hash.digest('hex');
}
