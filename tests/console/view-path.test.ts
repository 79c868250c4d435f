import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

/** By its path, since the compiler would put the module into dist/console/, among the page's own files. */
const MODULE = join(projectRoot, 'console', 'view-path.ts');

it('names a view by its address, also one that is no text', async () => {
  const { viewIn } = (await import(MODULE)) as { viewIn: (pathname: string) => string };
  expect(viewIn('/console/')).toBe('');
  expect(viewIn('/console')).toBe('');
  expect(viewIn('/console/capabilities/a%20b/')).toBe('capabilities/a b');
  expect(viewIn('/console/%ff')).toBe('%ff');
});
