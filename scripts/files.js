import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage']);

/**
 * Paths of all files below a folder whose name passes; fixtures of the architecture
 * checks, which must not compile, are left out.
 *
 * @param {string} folder
 * @param {(name: string) => boolean} wanted
 * @returns {string[]}
 */
export function findFiles(folder, wanted) {
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const skipped = NOT_OURS.has(entry.name) || entry.name.startsWith('.');
      if (!skipped && !path.endsWith(join('architecture', 'fixtures'))) {
        found.push(...findFiles(path, wanted));
      }
    } else if (wanted(entry.name)) {
      found.push(path);
    }
  }
  return found;
}
