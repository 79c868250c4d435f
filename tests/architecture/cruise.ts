import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

export interface Cruise {
  readonly violations: readonly Violation[];
  /** Names of all rules that were applied. */
  readonly rules: readonly string[];
  /** Why it could not run at all; empty when it did. */
  readonly error: string;
}

interface Report {
  readonly summary: {
    readonly violations: readonly { rule: { name: string }; from: string; to: string }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { name: string }[] };
  };
}

/** Checks the imports of a folder by the repository's own rules, as `npm run lint` does. */
export async function cruise(folder: string): Promise<Cruise> {
  const child = spawn(
    process.execPath,
    [
      join(projectRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      `--config=${join(projectRoot, '.dependency-cruiser.cjs')}`,
      '--output-type=json',
      '.',
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  if (out === '') return { violations: [], rules: [], error };
  const { summary } = JSON.parse(out) as Report;
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
    error: '',
  };
}
