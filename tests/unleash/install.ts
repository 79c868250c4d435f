import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../system/index.ts';

const INSTALL_MS = 5 * 60_000;
const LIST = ['package.json', 'package-lock.json'];
const SERVER = join(projectRoot, 'tests', 'unleash', 'server');

/**
 * Installs the server that `server/package-lock.json` names, below `.cache/`, unless it is there: it
 * is no part of Fig, and too large to come with it.
 * @returns the program to run
 */
export async function installUnleash(): Promise<string> {
  const version = await wantedVersion();
  const cache = join(projectRoot, '.cache');
  const folder = join(cache, `unleash-server-${version}`);
  const program = join('node_modules', 'unleash-server', 'dist', 'server.js');
  if (existsSync(join(folder, program))) return join(folder, program);
  console.warn(`installing unleash-server ${version} into .cache/ (about half a minute)`);
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, 'unleash-'));
  try {
    for (const name of LIST) await copyFile(join(SERVER, name), join(fresh, name));
    const words = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', words, { cwd: fresh, timeout: INSTALL_MS });
    // Whole or not at all, also when two runs install at the same time.
    await rename(fresh, folder).catch((error: unknown) => {
      if (!existsSync(join(folder, program))) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return join(folder, program);
}

async function wantedVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(SERVER, 'package.json'), 'utf8')) as {
    readonly dependencies: { readonly 'unleash-server': string };
  };
  return manifest.dependencies['unleash-server'];
}
