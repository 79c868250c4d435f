import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TemporaryDir {
  readonly path: string;
  /** With all that is in it. */
  remove(): Promise<void>;
}

/** Makes an empty folder. */
export async function temporaryDir(): Promise<TemporaryDir> {
  const path = await mkdtemp(join(await realpath(tmpdir()), 'fig-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Gives `use` an empty folder and removes it afterwards, with all that is in it. */
export async function withTempDir<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const { path, remove } = await temporaryDir();
  try {
    return await use(path);
  } finally {
    await remove();
  }
}
