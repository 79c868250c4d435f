import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { projectRoot } from '../../system/index.ts';

interface Counted {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
}

/** How much of a processor a program of Node takes from its start to its end, in ms. */
export async function processorOf(words: readonly string[], given: Counted): Promise<number> {
  return (await run<{ processorMs: number }>('usage-at-exit', words, given)).processorMs;
}

/** How many modules a program of Node loads. */
export async function modulesOf(words: readonly string[], given: Counted): Promise<number> {
  return (await run<{ modules: number }>('count-modules', words, given)).modules;
}

/** @throws when the program fails; the message holds what it wrote */
async function run<T>(
  preload: string,
  words: readonly string[],
  { env, folder }: Counted,
): Promise<T> {
  const file = join(folder, 'usage.json');
  const first = new URL(`${preload}.js`, import.meta.url);
  first.searchParams.set('file', file);
  const child = spawn(process.execPath, ['--import', first.href, ...words], {
    cwd: projectRoot,
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [[code], errors] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    child.stderr ? text(child.stderr) : '',
  ]);
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}:\n${errors}`);
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
