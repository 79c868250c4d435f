import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { inSoak, withTempDir } from '../support/index.ts';
import { itInSoak } from '../support/it-in-soak.ts';
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

/** Takes the lock as a prepare does, says so, and keeps it. */
const HOLD = `
  import { withLock } from './scripts/lock.js';
  await withLock('.cache/prepare.lock', console.error, () => {
    console.log('held');
    return new Promise(() => setInterval(() => {}, 1000));
  });
`;

/** Takes the lock, and gives it back at once. */
const TAKE = `
  import { withLock } from './lock.js';
  await withLock('.cache/prepare.lock', console.error, async () => console.log('taken'));
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

  itInSoak('builds again when a source is newer, and removes what a gone source left', () =>
    withProject(async (project) => {
      await project.run('prepare.js');
      project.write('two.ts', 'export const two = 2;\n');
      project.touch('two.ts', 5);
      await project.run('prepare.js');
      expect(existsSync(join(project.root, 'dist/two.js'))).toBe(true);
      rmSync(join(project.root, 'two.ts'));
      await project.run('prepare.js');
      expect(existsSync(join(project.root, 'dist/two.js'))).toBe(false);
    }),
  );

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

  itInSoak('does not miss an optional package of another platform', () =>
    withProject(async (project) => {
      project.write('package-lock.json', {
        packages: { '': {}, 'node_modules/for-elsewhere': { version: '1.0.0', optional: true } },
      });
      expect(await project.run('prepare.js')).toMatchObject({ code: 0 });
    }),
  );

  it('looks for no Redis where none is needed, as for the facade alone', () =>
    withProject(async (project) => {
      project.write('system/prepare-redis.ts', "throw new Error('no Redis');");
      const { code, output } = await project.run('prepare.js');
      expect({ code, output }).toEqual({ code: 1, output: expect.stringContaining('no Redis') });
      expect(await project.run('prepare.js', ['--without-redis'])).toMatchObject({ code: 0 });
    }));

  itInSoak('fails when npm does', () =>
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
    }),
  );

  it('says what to install where the driver of SQLite has to be compiled and nothing can', () =>
    withProject(async (project) => {
      const lines = Array.from({ length: 40 }, (_, line) => `npm error gyp ERR! line ${line}`);
      project.write(
        'npm.mjs',
        `console.error(${JSON.stringify(lines.join('\n'))}); process.exit(1);`,
      );
      rmSync(join(project.root, 'node_modules/.package-lock.json'));
      const { code, output } = await project.run('prepare.js', [], {
        npm_execpath: join(project.root, 'npm.mjs'),
        PATH: '/nowhere',
      });
      expect(code).toBe(1);
      expect(output).toContain('this machine has no python3, no make, no C++ compiler');
      expect(output).toContain('Debian, Ubuntu  sudo apt-get install python3 make g++');
      expect(output).toContain('macOS           xcode-select --install');
      expect(output).not.toContain('gyp ERR! line');
      expect(project.read('.cache/npm-ci.log')).toContain('gyp ERR! line 39');
    }));

  it.each(['scripts/prepare.js', 'scripts/reset.js', 'bin/fig'])(
    'refuses a Node that is too old before all else in %s, naming both versions',
    (entry) =>
      withProject(async (project) => {
        project.write('package.json', { type: 'module', engines: { node: '>=99.1' } });
        const { code, output } = await project.run(`../${entry}`);
        expect(code).toBe(1);
        expect(output).toBe(
          `Fig needs Node 99.1 or newer; this is ${process.versions.node} (${process.execPath})\n`,
        );
      }),
  );

  it('waits for another one that is at it', () =>
    withProject(async (project) => {
      const both = await Promise.all([project.run('prepare.js'), project.run('prepare.js')]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect(both.filter(({ output }) => output.includes('building'))).toHaveLength(1);
    }));

  it('names the process and the file that it waits for, and goes on when that process is gone', () =>
    withProject(async (project) => {
      project.write('.cache/made', '');
      project.write('hold.mjs', HOLD);
      const holder = spawn(process.execPath, ['hold.mjs'], {
        cwd: project.root,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      const lock = join(project.root, '.cache/prepare.lock');
      const waiting = project.run('prepare.js', [], {}, (output) => {
        // A killed one can't give its lock back.
        if (output.includes('waiting')) holder.kill('SIGKILL');
      });
      const { code, output } = await waiting;
      expect(output).toContain(
        `waiting for process ${holder.pid} to finish the same, which holds ${lock}`,
      );
      expect(code).toBe(0);
      expect(project.read('dist/one.js')).toContain('one = 1');
    }));

  it.each([
    ['names nobody, as after a full disk', ''],
    ['names an id that another process has by now', `{"pid":${process.pid},"startedAt":1}`],
    ...inSoak(
      [
        ['names a process that is gone', '{"pid":999999999,"startedAt":1}'],
        ['says no more than an id', String(process.pid)],
        ['says nothing that can be read', '{"pid":'],
      ],
      [],
    ),
  ])('takes over from a lock that %s', (_what, lock) =>
    withProject(async (project) => {
      project.write('.cache/prepare.lock', lock);
      project.write('scripts/take.js', TAKE);
      expect(await project.run('take.js')).toMatchObject({ code: 0, output: 'taken\n' });
      expect(readdirSync(join(project.root, '.cache'))).toEqual([]);
    }),
  );

  it('needs no lock, nor to write anything, when everything is prepared', () =>
    withProject(async (project) => {
      await project.run('prepare.js');
      rmSync(join(project.root, '.cache'), { recursive: true });
      // Where a folder would have to be made, nobody can make one: not even root.
      project.write('.cache', 'a file');
      expect(await project.run('prepare.js')).toMatchObject({ code: 0, output: '' });
    }));
});
