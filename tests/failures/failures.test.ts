import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';

const FIXTURE = 'tests/failures/failing.fixture.ts';

/** What jest prints of tests that fail. */
async function failures(
  words: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const node = ['--experimental-vm-modules', join(projectRoot, 'node_modules/jest/bin/jest.js')];
  const jest = ['--runTestsByPath', FIXTURE, '--testMatch', `**/${FIXTURE}`, '--ci'];
  const options = { cwd: projectRoot, env: { ...process.env, ...env } };
  try {
    await promisify(execFile)(process.execPath, [...node, ...jest, ...words], options);
  } catch (error) {
    const { stderr } = error as { stderr: string };
    return stripVTControlCharacters(stderr).replaceAll(/^ +/gm, '');
  }
  throw new Error('every test passed');
}

/** What is printed of one test. */
function of(test: string, printed: string): string {
  return printed.split('\n● ').find((part) => part.startsWith(test)) ?? '';
}

describe('a test that fails', () => {
  let printed: string;

  beforeAll(async () => {
    printed = await failures();
  });

  it('says how to run it again, with its seed, and what its processes logged last', () => {
    const text = of('a system', printed);
    expect(text).toContain('Expected');
    expect(text).toContain(
      `\nagain: FIXTURE_SEED=42 npm test -- ${FIXTURE} -t ` +
        String.raw`'^a system isn'\''t what \(it\) should be$'` +
        '\n',
    );
    expect(text).toMatch(/--- the last lines of supervisor\n(?:.*\n)*?.*"msg":"ready"/);
    expect(text).toMatch(/--- the last lines of redis\n.*Redis/);
  });

  it('says what it waited for when its time is up', () => {
    const text = of('takes for ever', printed);
    expect(text).toContain('Exceeded timeout of 50 ms');
    expect(text).toContain(`-t '^takes for ever$'\nwhat it waited for\n`);
  });

  it('says why it was broken off', () => {
    const text = of('is broken off', printed);
    expect(text).toContain('TimeoutError: gave up waiting');
    expect(text).toContain(`-t '^is broken off$'\n`);
  });

  it('says so when what it stands on could not be set up', () => {
    const text = of('without what it stands on', printed);
    expect(text).toContain('no ground');
    expect(text).toContain(`-t '^without what it stands on is not run$'\nthe ground\n`);
  });

  it('shows nothing of others', () => {
    expect(printed).not.toContain('not to be shown');
    expect(printed.match(/^what it waited for$/gm)).toHaveLength(1);
  });

  it('goes through the same case of fast-check again', async () => {
    const [, seed = '', path = ''] =
      /again: .*FAST_CHECK_SEED=(\S+) FAST_CHECK_PATH=(\S+) npm test/.exec(
        of('knows a number', printed),
      ) ?? [];
    const again = await failures(['-t', '^knows a number$'], {
      FAST_CHECK_SEED: seed,
      FAST_CHECK_PATH: path,
    });
    expect(of('knows a number', again)).toContain(`{ seed: ${seed}, path: "${path}"`);
    expect(counterexample(again)).toBe(counterexample(printed));
    expect(again).toMatch(/Property failed after 1 tests/);
  });
});

function counterexample(printed: string): string | undefined {
  return /Counterexample: \[\d+\]/.exec(printed)?.[0];
}
