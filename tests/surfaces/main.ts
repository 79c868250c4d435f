/**
 * `npm run surfaces`: writes tests/surfaces/snapshot anew. With `--print` it prints what it would
 * write instead, as JSON, for the test that compares.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { SNAPSHOT, surfaces } from './surfaces.ts';

const command = new Command('npm run surfaces --')
  .description(
    'Writes anew what tests/surfaces/snapshot says that users and stored data depend on.',
  )
  .option('--print', 'print it as JSON, and write nothing', false)
  .addHelpText('after', '\nExit code: 0 done, 1 failed, 2 wrong usage.')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse();
const { print } = command.opts<{ readonly print: boolean }>();
const all = await surfaces();
if (print) process.stdout.write(JSON.stringify(all));
else await write(all);
// A PostgreSQL server for this process would keep it alive.
process.exitCode = 0;

async function write(texts: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(SNAPSHOT, { recursive: true });
  for (const old of await readdir(SNAPSHOT)) {
    if (!(old.replace(/\.txt$/, '') in texts)) await rm(join(SNAPSHOT, old));
  }
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(SNAPSHOT, `${name}.txt`), text);
  }
  process.stderr.write(`wrote ${Object.keys(texts).length} files to ${SNAPSHOT}\n`);
}
