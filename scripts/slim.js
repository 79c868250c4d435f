/**
 * For an image: `node scripts/slim.js FOLDER...` removes, below folders of installed packages, what
 * no program reads at run time: types and TypeScript sources, source maps, prose, and what native
 * parts were compiled from. Licences stay.
 */
import { readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const UNREAD = /\.([cm]?ts|map|md|markdown|c|cc|cpp|h|hpp|o|a|d|gyp|gypi|mk|tsbuildinfo)$/i;
const LICENCE = /^(licen[cs]e|copying|notice)/i;
/** Made beside the module that is loaded, to test that it can be. */
const TEST_MODULE = 'test_extension.node';

/** Whether anything is left in the folder. */
function slim(folder) {
  let left = false;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (slim(path)) left = true;
      else rmdirSync(path);
    } else if (
      !LICENCE.test(entry.name) &&
      (UNREAD.test(entry.name) || entry.name === TEST_MODULE)
    ) {
      rmSync(path);
    } else {
      left = true;
    }
  }
  return left;
}

for (const folder of process.argv.slice(2)) slim(folder);
