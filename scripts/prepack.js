/**
 * Before `npm pack` and `npm publish`: builds what is to be built, then the types of the public API, and the
 * configuration's JSON schema.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.js';

const root = join(import.meta.dirname, '..');
const types = join(root, 'dist', 'types');

rmSync(types, { recursive: true, force: true });
await node('scripts/prepare.js', '--without-redis');
await node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.package.json');
await node('scripts/types.js');
const schema = await node('dist/strangler/cli/main.js', 'config', 'schema');
writeFileSync(join(root, 'dist', 'fig.schema.json'), schema);

async function node(...words) {
  const { end, output } = await run([process.execPath, ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (end !== 0) throw new Error(`${words.join(' ')} failed (${end})\n${output}`);
  return output;
}
