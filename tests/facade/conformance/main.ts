/** Writes docs/architecture/http-conformance.md from what the cases show. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { projectRoot } from '../../../system/index.ts';
import { runAll } from './outcomes.ts';
import { document } from './table.ts';
import { nginxVersion } from './target.ts';

if (nginxVersion() === undefined) {
  console.error('nginx is not installed: its column would be lost; try `apt-get install nginx`');
  process.exit(1);
}
const outcomes = await runAll();
const text = await format(document(outcomes), { parser: 'markdown', printWidth: 100 });
await writeFile(join(projectRoot, 'docs', 'architecture', 'http-conformance.md'), text);
const unexpected = outcomes.filter(({ each, ours }) => ours !== each.ours);
for (const { each, ours } of unexpected) {
  console.error(`${each.name}: expected "${each.ours}", saw "${ours}"`);
}
process.exitCode = unexpected.length === 0 ? 0 : 1;
