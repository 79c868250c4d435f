import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const known = new Map<string, string>();

/** The version of the package that this file belongs to, also from `dist/`. */
export function packageVersion(): string {
  const file = [ROOT, join(ROOT, '..')]
    .map((folder) => join(folder, 'package.json'))
    .find(existsSync);
  if (file === undefined) return 'unknown';
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/**
 * Names the build of a program: a hash of the code that it consists of, so that two processes with
 * the same name and version answer alike.
 * @param folders top-level folders of the program, beside those of the chassis and the contracts
 */
export function codeVersion(...folders: readonly string[]): string {
  const all = [...folders, 'chassis', 'contracts'].sort();
  const name = all.join();
  const version = known.get(name) ?? hashOf(all);
  known.set(name, version);
  return version;
}

function hashOf(folders: readonly string[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter(isCode).sort()) {
      hash.update(`${folder}/${file}\n`).update(readFileSync(join(ROOT, folder, file)));
    }
  }
  return hash.digest('hex').slice(0, 12);
}

function isCode(file: string): boolean {
  return /\.[jt]s$/.test(file) && !/\.(test|d)\.[jt]s$/.test(file);
}
