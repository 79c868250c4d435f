import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, withoutSystem } from '../../system/index.ts';
import { FREE_PORTS, withTempDir } from '../support/index.ts';
import { SmallProject } from './small-project.ts';
import { runCommand } from './run-command.ts';

const MINUTES = 60_000;
const env = {
  ...withoutSystem(process.env),
  ...FREE_PORTS,
};
/** A mount that only the command sees: as root, or as one in a namespace of its own. */
const UNSHARE = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-rm'];

interface Locked {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What npm reads to install one of our packages with all that it needs, as locked, and nothing else. */
function packagesFor(name: string): Readonly<Record<string, unknown>> {
  const read = (file: string) =>
    JSON.parse(readFileSync(join(projectRoot, file), 'utf8')) as object;
  const { packages, ...lock } = read('package-lock.json') as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const needed = new Map<string, Locked>();
  const need = (path: string): void => {
    const found = packages[path];
    if (!found) throw new Error(`package-lock.json has no ${path}`);
    if (needed.has(path)) return;
    needed.set(path, found);
    for (const other of Object.keys(found.dependencies ?? {})) {
      const nested = `${path}/node_modules/${other}`;
      need(nested in packages ? nested : `node_modules/${other}`);
    }
  };
  need(`node_modules/${name}`);
  const dependencies = { [name]: packages[`node_modules/${name}`]?.version };
  const { engines, type, allowScripts } = read('package.json') as Record<string, unknown>;
  const root = { name: 'fig', version: '0.0.0', type, engines, dependencies };
  return {
    'package.json': { ...root, allowScripts },
    'package-lock.json': { ...lock, packages: { '': root, ...Object.fromEntries(needed) } },
  };
}

describe('npm start on a machine', () => {
  it(
    'without a compiler says what to install',
    () =>
      withTempDir(async (root) => {
        const project = new SmallProject(root);
        cpSync(join(projectRoot, 'tsconfig.json'), join(root, 'tsconfig.json'));
        for (const [file, content] of Object.entries(packagesFor('better-sqlite3'))) {
          project.write(file, content);
        }
        // Of all that is on the PATH, what npm itself needs.
        const bin = join(root, 'only');
        mkdirSync(bin);
        symlinkSync(process.execPath, join(bin, 'node'));
        symlinkSync('/bin/sh', join(bin, 'sh'));
        const { code, output } = await project.run('prepare.js', [], {
          PATH: bin,
          npm_execpath: process.env['npm_execpath'] ?? '',
          // Nor can it be fetched compiled.
          npm_config_better_sqlite3_binary_host: 'http://127.0.0.1:9',
        });
        expect(code).toBe(1);
        expect(output).toContain('Debian, Ubuntu  sudo apt-get install python3 make g++');
        expect(output).not.toContain('gyp ERR!');
        expect(
          output.split('\n').filter((line) => !line.includes('still at it')).length,
        ).toBeLessThan(12);
      }),
    10 * MINUTES,
  );

  // With 2 MB it may just come up.
  it.each(['40k', '400k', '1m'])(
    'with a disk of %s says that it is full',
    async (size) => {
      const disk = mkdtempSync(join(tmpdir(), 'fig-disk-'));
      try {
        const { code, output } = await runCommand(
          [
            ...UNSHARE,
            'sh',
            '-c',
            `mount -t tmpfs -o size=${size} none ${disk} && exec "$0" "$@"`,
            process.execPath,
            '--enable-source-maps',
            'dist/system/main.js',
          ],
          { cwd: projectRoot, env: { ...env, FIG_DATA_DIR: join(disk, 'data') } },
        );
        expect(output).toContain(`could not start: the disk that holds ${disk}/data is full`);
        expect(output.split('could not start: the disk')[1]).not.toContain('    at ');
        expect(code).toBe(1);
      } finally {
        rmSync(disk, { recursive: true });
      }
    },
    3 * MINUTES,
  );
});

describe('npm run test:node', () => {
  it(
    'installs, builds, starts, moves inventory out and back with a newer Node, and cleans up',
    async () => {
      const { code, output } = await runCommand(['npm', 'run', '-s', 'test:node', '--', '24'], {
        cwd: projectRoot,
        env,
      });
      expect(output).toMatch(/^PASS {2}Node v24\./m);
      expect(code).toBe(0);
    },
    30 * MINUTES,
  );
});
