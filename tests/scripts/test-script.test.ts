import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../support/index.ts';
import { SmallProject } from './small-project.ts';

const CHECKS = {
  typecheck: 'node_modules/typescript/bin/tsc',
  lint: 'node_modules/oxlint/bin/oxlint',
  imports: 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  format: 'node_modules/prettier/bin/prettier.cjs',
};

/** Stands in for jest: writes the totals that it is told to, and shows what it was given. */
const JEST = `
  const { writeFileSync } = require('node:fs');
  const parameters = process.argv.slice(2);
  console.log('jest was given ' + parameters.filter((each) => !each.startsWith('--')).join(' '));
  const file = parameters.find((each) => each.startsWith('--outputFile=')).split('=')[1];
  const totals = JSON.parse(process.env.TOTALS);
  if (totals) writeFileSync(file, JSON.stringify(totals));
  process.exit(Number(process.env.JEST_ENDS_WITH ?? 0));
`;

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
    for (const name of ['typescript', 'oxlint', 'jest']) {
      project.write(`node_modules/${name}/package.json`, {});
    }
    project.write('node_modules/jest/bin/jest.js', JEST);
    project.write('chassis/a.test.ts', '');
    project.write('tests/journeys/b.test.ts', '');
    project.write('tests/support/c.ts', '');
    await use(project);
  });
}

describe('scripts/test.js', () => {
  it('runs every check and group, and ends with the sum of what jest counted', () =>
    withProject(async (project) => {
      const { code, lines } = await project.run('test.js', [], totals(3, 0));
      expect(code).toBe(0);
      expect(lines.at(-1)).toBe('6 passed, 0 failed');
      expect(lines).toContain('jest was given chassis/a.test.ts');
      expect(lines).toContain('jest was given tests/journeys/b.test.ts');
      for (const part of [...Object.keys(CHECKS), 'unit', 'tests/journeys']) {
        expect(lines.join('\n')).toMatch(new RegExp(`^  ${part} +[0-9.]+ s`, 'm'));
      }
    }));

  it('fails with the failed tests counted, and still runs the rest', () =>
    withProject(async (project) => {
      const { code, lines } = await project.run('test.js', [], totals(3, 2));
      expect(code).toBe(1);
      expect(lines.at(-1)).toBe('6 passed, 4 failed');
    }));

  it.each(Object.entries(CHECKS))('counts a failing %s as one failed', (name, path) =>
    withProject(async (project) => {
      project.write(path, 'process.exitCode = 1;');
      const { code, lines } = await project.run('test.js', [], totals(1, 0));
      expect(code).toBe(1);
      expect(lines.join('\n')).toMatch(new RegExp(`${name} .*FAILED`));
      expect(lines.at(-1)).toBe('2 passed, 1 failed');
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
      expect(lines).toContain('jest was given tests/journeys');
      expect(output).not.toContain('typecheck');
      expect(lines.at(-1)).toBe('2 passed, 0 failed');
    }));
});
