import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The project's folder: the nearest one above this file with a package.json, also from `dist/`. */
export const projectRoot: string = findRoot(import.meta.dirname);

function findRoot(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error(`no package.json above ${import.meta.dirname}`);
  return findRoot(parent);
}

/** Path of a compiled file: `compiled('facade/main.js')`. */
export function compiled(path: string): string {
  return join(projectRoot, 'dist', path);
}
