import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withTempDir } from '../support/index.ts';
import { SmallProject } from './small-project.ts';

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    outDir: 'dist',
    rootDir: '.',
    types: [],
  },
  include: ['**/*.ts'],
  exclude: ['node_modules', 'dist'],
};

function withProject(use: (project: SmallProject) => Promise<void>): Promise<void> {
  return withTempDir(async (root) => {
    const project = new SmallProject(root);
    project.install();
    project.write('tsconfig.json', TSCONFIG);
    project.write('one.ts', 'export const one: number = 1;\n');
    await use(project);
  });
}

/** Stands in for npm: notes how it was called, and installs what the lockfile asks for. */
const NPM = `
  import { copyFileSync, writeFileSync } from 'node:fs';
  writeFileSync('npm-was-called-with', process.argv.slice(2).join(' '));
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  process.exit(Number(process.env.NPM_ENDS_WITH ?? 0));
`;

describe('scripts/prepare.js', () => {
  it('builds what is missing, and the second time does nothing and says nothing', () =>
    withProject(async (project) => {
      expect(await project.run('prepare.js')).toMatchObject({
        code: 0,
        output: 'prepare: building dist/\n',
      });
      expect(project.read('dist/one.js')).toContain('one = 1');
      expect(await project.run('prepare.js')).toMatchObject({ code: 0, output: '' });
    }));

  it('builds again when a source is newer, and removes what a gone source left', () =>
    withProject(async (project) => {
      await project.run('prepare.js');
      project.write('two.ts', 'export const two = 2;\n');
      project.touch('two.ts', 5);
      await project.run('prepare.js');
      expect(existsSync(join(project.root, 'dist/two.js'))).toBe(true);
      rmSync(join(project.root, 'two.ts'));
      await project.run('prepare.js');
      expect(existsSync(join(project.root, 'dist/two.js'))).toBe(false);
    }));

  it('fails on a type error, shows it, and does not take the build for done', () =>
    withProject(async (project) => {
      project.write('one.ts', "export const one: number = 'text';\n");
      for (const attempt of ['first', 'second']) {
        const { code, output } = await project.run('prepare.js');
        expect([attempt, code]).toEqual([attempt, 1]);
        expect(output).toContain('TS2322');
      }
    }));

  it('installs when the lockfile asks for something else than what is installed', () =>
    withProject(async (project) => {
      project.write('npm.mjs', NPM);
      project.write('package-lock.json', {
        packages: { '': {}, 'node_modules/new': { version: '1.0.0' } },
      });
      const npm = { npm_execpath: join(project.root, 'npm.mjs') };
      const { code, output } = await project.run('prepare.js', [], npm);
      expect(output).toContain('node_modules/new is not what package-lock.json asks for');
      expect(code).toBe(0);
      expect(project.read('npm-was-called-with')).toMatch(/^ci --include=dev/);
    }));

  it('does not miss an optional package of another platform', () =>
    withProject(async (project) => {
      project.write('package-lock.json', {
        packages: { '': {}, 'node_modules/for-elsewhere': { version: '1.0.0', optional: true } },
      });
      expect(await project.run('prepare.js')).toMatchObject({ code: 0 });
    }));

  it('fails when npm does', () =>
    withProject(async (project) => {
      project.write('npm.mjs', NPM);
      rmSync(join(project.root, 'node_modules/.package-lock.json'));
      const { code, output } = await project.run('prepare.js', [], {
        npm_execpath: join(project.root, 'npm.mjs'),
        NPM_ENDS_WITH: '1',
      });
      expect(code).toBe(1);
      expect(output).toContain('node_modules is missing');
      expect(output).toMatch(/npm\.mjs ci .*failed \(1\)/);
    }));

  it('refuses a Node that is too old, naming both versions', () =>
    withProject(async (project) => {
      project.write('package.json', { type: 'module', engines: { node: '>=99.1' } });
      const { code, output } = await project.run('prepare.js');
      expect(code).toBe(1);
      expect(output).toContain(`needs Node >=99.1; this is ${process.versions.node}`);
    }));

  it('waits for another one that is at it, and takes over from a dead one', () =>
    withProject(async (project) => {
      const both = await Promise.all([project.run('prepare.js'), project.run('prepare.js')]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect(both.filter(({ output }) => output.includes('building'))).toHaveLength(1);
      project.write('.cache/prepare.lock', '999999999');
      expect(await project.run('prepare.js')).toMatchObject({ code: 0 });
    }));
});
