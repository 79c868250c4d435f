import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { built, withTempDir } from '../../support/index.ts';
import type { RunReport } from './runs.ts';

/** What one of the chaos commands printed, how it ended, and what it kept of each run. */
interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly runs: readonly (RunReport & { readonly seed: number })[];
}

/**
 * Runs one of the chaos commands as a process of its own, from seed 1 on unless the options say
 * another.
 * @param main the command's main, such as `feed/main.ts`
 * @param options further words of the command
 */
export function runChaos(
  main: string,
  runs: number,
  options: readonly string[] = [],
): Promise<Outcome> {
  return withTempDir(async (directory) => {
    const json = join(directory, 'report.json');
    const script = built(new URL(`../${main}`, import.meta.url));
    const words = ['--runs', String(runs), '--seed', '1', '--json', json, ...options];
    const child = spawn(process.execPath, ['--enable-source-maps', script, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += String(text)));
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) return { code, out, runs: [] };
    const report = JSON.parse(await readFile(json, 'utf8')) as Pick<Outcome, 'runs'>;
    return { code, out, runs: report.runs };
  });
}
