import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '../../system/index.ts';

/** What the build has made of a program in TypeScript: it loads in half the time. */
export function built(source: URL): string {
  const path = relative(projectRoot, fileURLToPath(source)).replace(/\.ts$/, '.js');
  return join(projectRoot, 'dist', path);
}
