import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, withoutSystem } from '../../system/index.ts';
import { withTempDir } from '../support/index.ts';
import { SmallProject } from './small-project.ts';
import { runCommand } from './run-command.ts';

const MINUTES = 60_000;
const PORTS = ['FACADE', 'ADMIN', 'MONOLITH', 'INVENTORY', 'PAYMENT', 'ENGINE', 'PROVIDER'];
const env = {
  ...withoutSystem(process.env),
  ...Object.fromEntries(PORTS.map((name) => [`${name}_PORT`, '0'])),
};
/** A mount that only the command sees: as root, or as one in a namespace of its own. */
const UNSHARE = process.getuid?.() === 0 ? ['unshare', '-m'] : ['unshare', '-rm'];

describe('npm start on a machine', () => {
  it(
    'without a compiler says what to install',
    () =>
      withTempDir(async (root) => {
        const project = new SmallProject(root);
        for (const file of ['package.json', 'package-lock.json', 'tsconfig.json']) {
          cpSync(join(projectRoot, file), join(root, file));
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

  it.each(['40k', '400k', '2m'])(
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
