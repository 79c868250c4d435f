import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../system/index.ts';
import { lines } from './syntax.ts';

/** Scripts that take no words of their own: other people's tools, and what runs as it is. */
const WITHOUT_HELP = new Set([
  'build',
  'format',
  'format:check',
  'jest',
  'lint',
  'openapi',
  'start',
  'test',
  'test:soak',
  'typecheck',
]);

/** What `npm run` has, and what each of it starts. */
export function scripts(): string {
  return lines(Object.entries(packageJson().scripts).map(([name, run]) => `${name}: ${run}`));
}

/** The help of every npm script that takes words. */
export async function scriptHelp(): Promise<string> {
  const { scripts: all } = packageJson();
  const asked = Object.keys(all)
    .filter((name) => !WITHOUT_HELP.has(name) && !/^(pre|post)/.test(name))
    .toSorted();
  return helpOf(asked.map((name) => [name, programOf(all[name] ?? '')] as const));
}

/** The help of `fig` and of all its commands. */
export async function figHelp(): Promise<string> {
  return helpOf([['fig', 'fig']]);
}

/** The help of `shop` and of all its commands. */
export async function shopHelp(): Promise<string> {
  return helpOf([['shop', 'shop']]);
}

function packageJson(): { readonly scripts: Readonly<Record<string, string>> } {
  return JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
}

/** What a script runs: the compiled program also of one that `tsx` compiles on its way. */
function programOf(command: string): string {
  const file = command.split(' ').find((word) => /\.[jt]s$/.test(word)) ?? '';
  const compiled = command.startsWith('tsx ') ? `dist/${file.replace(/\.ts$/, '.js')}` : file;
  return join(projectRoot, compiled);
}

/** One process asks all of them in turn: loading what they share once takes a tenth of the time. */
async function helpOf(programs: readonly (readonly [string, string])[]): Promise<string> {
  const asker = join(projectRoot, 'dist', 'tests', 'surfaces', 'ask-help.js');
  const env = { PATH: process.env['PATH'], NO_COLOR: '1', FIG_DATA_DIR: '/nonexistent' };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [asker, JSON.stringify(programs)],
    { env, timeout: 60_000, maxBuffer: 10_000_000 },
  );
  return stdout;
}
