/** Writes docs/architecture/http-conformance.md from what the cases show. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { format } from 'prettier';
import { projectRoot } from '../../../system/index.ts';
import { moreAnswers } from './answer-table.ts';
import { cases } from './cases.ts';
import { runCases } from './outcomes.ts';
import { document } from './table.ts';
import { nginxVersion } from './target.ts';

new Command('npm run conformance --')
  .description(
    'Sends every case of tests/facade/conformance to the facade and to nginx, and writes what both\n' +
      'do into docs/architecture/http-conformance.md. Needs nginx.',
  )
  .addHelpText(
    'after',
    '\nExit code: 0 when the facade did what each case expects, 1 when it did not.',
  )
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse();
if (nginxVersion() === undefined) {
  console.error('nginx is not installed: its column would be lost; try `apt-get install nginx`');
  process.exit(1);
}
const outcomes = await runCases(cases);
const text = await format(document(outcomes), { parser: 'markdown', printWidth: 100 });
await writeFile(join(projectRoot, 'docs', 'architecture', 'http-conformance.md'), text);
const more = await runCases(moreAnswers());
const unexpected = [...outcomes, ...more].filter(({ each, ours }) => ours !== each.ours);
for (const { each, ours } of unexpected) {
  console.error(`${each.name}: expected "${each.ours}", saw "${ours}"`);
}
process.exitCode = unexpected.length === 0 ? 0 : 1;
