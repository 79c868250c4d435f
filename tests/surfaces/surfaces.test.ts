import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

const SNAPSHOT = join(projectRoot, 'tests', 'surfaces', 'snapshot');
const REMEDY =
  'What users or stored data depend on has changed. Where that is meant, run `npm run surfaces`, ' +
  'look at the diff, and commit it with a line in CHANGELOG.md.';
const names = readdirSync(SNAPSHOT).map((file) => file.replace(/\.txt$/, ''));

describe('the surfaces', () => {
  let current: Readonly<Record<string, string>> = {};

  beforeAll(async () => {
    const program = join(projectRoot, 'dist', 'tests', 'surfaces', 'main.js');
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, [program, '--print'], { maxBuffer: 10_000_000 });
    current = JSON.parse(stdout) as typeof current;
  }, 300_000);

  it('are in one file a kind', () => {
    withRemedy(() => expect(names.toSorted()).toEqual(Object.keys(current).toSorted()));
  });

  it.each(names)('are what tests/surfaces/snapshot/%s.txt says', (name) => {
    const committed = readFileSync(join(SNAPSHOT, `${name}.txt`), 'utf8');
    withRemedy(() => expect(current[name]).toBe(committed));
  });
});

function withRemedy(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Error) error.message = `${REMEDY}\n\n${error.message}`;
    throw error;
  }
}
