import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../support/index.ts';
import { SmallProject } from './small-project.ts';

const CHECKS = {
  lint: 'node_modules/oxlint/bin/oxlint',
  format: 'node_modules/prettier/bin/prettier.cjs',
};

/** Stands in for jest: writes the totals that it is told to, and shows what it was given. */
const JEST = `
  const { writeFileSync } = require('node:fs');
  const { join } = require('node:path');
  const parameters = process.argv.slice(2);
  console.log('jest was given ' + parameters.filter((each) => !each.startsWith('--')).join(' '));
  for (const each of parameters.filter((path) => path.includes('/suites/'))) {
    console.log('suite ' + require('node:path').basename(each) + ' is ' + require('node:fs').readFileSync(each, 'utf8').trim());
  }
  const file = parameters.find((each) => each.startsWith('--outputFile=')).split('=')[1];
  const totals = JSON.parse(process.env.TOTALS);
  const took = { 'chassis/a.test.ts': 1_500, 'chassis/b.test.ts': 500, 'tests/journeys/c.test.ts': 4_000 };
  const testResults = Object.entries(took).map(([path, endTime]) => {
    return { name: join(process.cwd(), path), startTime: 0, endTime };
  });
  const left = join(require('node:os').tmpdir(), 'left-by-a-test');
  writeFileSync(left, '');
  console.log('jest left ' + left);
  if (totals) writeFileSync(file, JSON.stringify({ ...totals, testResults }));
  process.exit(Number(process.env.JEST_ENDS_WITH ?? 0));
`;
const NORMAL = '**/!(*.soak).test.ts';

/** The paths that each run of jest was given, from the project's root. */
function given(lines: readonly string[]): readonly (readonly string[])[] {
  return lines
    .filter((line) => line.startsWith('jest was given '))
    .map((line) => line.split(' ').slice(3))
    .map((paths) => paths.map((path) => path.replace(/^.*?(?=chassis|tests\/|\.cache)/, '')));
}

const totals = (
  passed: number,
  failed: number,
  broken = 0,
  skipped = 0,
): Record<string, string> => ({
  TOTALS: JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numRuntimeErrorTestSuites: broken,
    numPendingTests: skipped,
    numTodoTests: 0,
  }),
  JEST_ENDS_WITH: failed + broken > 0 ? '1' : '0',
});

function withProject(use: (project: SmallProject) => Promise<void>): Promise<void> {
  return withTempDir(async (root) => {
    const project = new SmallProject(root);
    for (const path of Object.values(CHECKS)) project.write(path, 'process.exitCode = 0;');
    // `bin` files without an extension are CommonJS only where their package says so.
    for (const name of ['oxlint', 'jest']) {
      project.write(`node_modules/${name}/package.json`, {});
    }
    project.write('node_modules/jest/bin/jest.js', JEST);
    project.write('chassis/a.test.ts', '');
    project.write('chassis/b.test.ts', '');
    project.write('chassis/long.soak.test.ts', '');
    project.write('tests/journeys/c.test.ts', '');
    await use(project);
  });
}

describe('scripts/test.js', () => {
  it('runs every check and the tests, and tells what each took', () =>
    withProject(async (project) => {
      const { code, lines } = await project.run('test.js', [], totals(3, 0));
      expect(code).toBe(0);
      expect(lines.at(-1)).toBe('3 passed, 0 failed');
      expect(lines.filter((line) => line.startsWith('jest was'))).toHaveLength(1);
      for (const part of [...Object.keys(CHECKS), 'tests']) {
        expect(lines.join('\n')).toMatch(new RegExp(`^  ${part} +[0-9.]+ s`, 'm'));
      }
      const words = lines.map((line) => line.trim().split(/ +/));
      expect(words).toContainEqual(['chassis', '2.0', 's']);
      expect(words).toContainEqual(['tests/journeys', '4.0', 's']);
      const files = words.map(([first]) => first).filter((word) => word?.endsWith('.test.ts'));
      expect(files).toEqual(['tests/journeys/c.test.ts', 'chassis/a.test.ts', 'chassis/b.test.ts']);
    }));

  it('removes what tests leave in the folder for temporary files', () =>
    withProject(async (project) => {
      const { lines } = await project.run('test.js', [], totals(3, 0));
      const left = lines.find((line) => line.startsWith('jest left '))?.slice(10) ?? '';
      expect(left).toContain('left-by-a-test');
      expect(existsSync(dirname(left))).toBe(false);
    }));

  it('leaves the long runs to --soak, and runs both for --all', () =>
    withProject(async (project) => {
      const soak = await project.run('test.js', ['--soak'], totals(2, 0));
      expect(soak.output).not.toContain('=== format');
      expect(given(soak.lines)).toEqual([['chassis/long.soak.test.ts']]);
      expect(soak.lines.at(-1)).toBe('2 passed, 0 failed');
      const all = await project.run('test.js', ['--all'], totals(2, 1));
      expect(all.code).toBe(1);
      expect(all.output).toContain('=== format');
      expect(given(all.lines)).toEqual([
        ['.cache/suites/chassis-1.test.ts', 'tests/journeys/c.test.ts'],
        ['chassis/long.soak.test.ts'],
      ]);
      expect(all.lines.at(-1)).toBe('4 passed, 2 failed');
    }));

  it('runs short files of a folder as one, and those alone that are long or have hooks of their own', () =>
    withProject(async (project) => {
      project.write('tests/durations.json', { 'chassis/b.test.ts': 80 });
      project.write('chassis/d.test.ts', '');
      project.write('chassis/e.test.ts', 'afterAll(() => undefined);');
      const { lines } = await project.run('test.js', [], totals(1, 0));
      expect(given(lines)).toEqual([
        [
          'chassis/b.test.ts',
          'chassis/e.test.ts',
          '.cache/suites/chassis-1.test.ts',
          'tests/journeys/c.test.ts',
        ],
      ]);
      const start = lines.findIndex((line) => line.startsWith('suite chassis-1.test.ts is'));
      expect(lines.slice(start, start + 2)).toEqual([
        `suite chassis-1.test.ts is import '../../chassis/a.test.ts';`,
        `import '../../chassis/d.test.ts';`,
      ]);
      const narrowed = await project.run('test.js', ['chassis'], totals(1, 0));
      expect(narrowed.lines).toContain(`jest was given chassis ${NORMAL}`);
    }));

  it('notes down how long each file took, when it is asked to', () =>
    withProject(async (project) => {
      project.write('tests/durations.json', { 'chassis/gone.test.ts': 9 });
      await project.run('test.js', [], totals(1, 0));
      expect(JSON.parse(project.read('tests/durations.json'))).toEqual({
        'chassis/gone.test.ts': 9,
      });
      await project.run('test.js', ['--write-durations'], totals(1, 0));
      expect(Object.entries(JSON.parse(project.read('tests/durations.json')))).toEqual([
        ['chassis/a.test.ts', 1.5],
        ['chassis/b.test.ts', 0.5],
        ['tests/journeys/c.test.ts', 4],
      ]);
    }));

  it('fails with the failed tests counted', () =>
    withProject(async (project) => {
      const { code, lines } = await project.run('test.js', [], totals(3, 2));
      expect(code).toBe(1);
      expect(lines.at(-1)).toBe('3 passed, 2 failed');
    }));

  it.each(Object.entries(CHECKS))('counts a failing %s as one failed', (name, path) =>
    withProject(async (project) => {
      project.write(path, 'process.exitCode = 1;');
      const { code, lines } = await project.run('test.js', [], totals(1, 0));
      expect(code).toBe(1);
      expect(lines.join('\n')).toMatch(new RegExp(`${name} .*FAILED`));
      expect(lines.at(-1)).toBe('1 passed, 1 failed');
    }),
  );

  it('counts a suite that could not run, and a jest that left no report', () =>
    withProject(async (project) => {
      const skipped = await project.run('test.js', ['x'], totals(1, 0, 0, 2));
      expect(skipped).toMatchObject({ code: 1 });
      expect(skipped.lines.at(-1)).toBe('1 passed, 2 failed');
      const broken = await project.run('test.js', ['x'], totals(1, 0, 1));
      expect(broken).toMatchObject({ code: 1 });
      expect(broken.lines.at(-1)).toBe('1 passed, 1 failed');
      const crashed = await project.run('test.js', ['x'], { TOTALS: 'null', JEST_ENDS_WITH: '1' });
      expect(crashed).toMatchObject({ code: 1 });
      expect(crashed.lines.at(-1)).toBe('0 passed, 1 failed');
    }));

  it('runs jest alone when it is given paths', () =>
    withProject(async (project) => {
      const { lines, output } = await project.run('test.js', ['tests/journeys'], totals(2, 0));
      expect(lines).toContain(`jest was given tests/journeys ${NORMAL}`);
      expect(output).not.toContain('=== format');
      expect(lines.at(-1)).toBe('2 passed, 0 failed');
    }));
});
