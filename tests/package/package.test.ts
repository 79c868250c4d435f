import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, readSystemFile, withoutSystem } from '../../system/index.ts';
import { eventually, request, withTempDir } from '../support/index.ts';
import { runCommand } from '../scripts/run-command.ts';
import { withFigUp } from './fig-up.ts';
import { THINGS, TYPESCRIPT, withTwoServers } from './two-servers.ts';

const FIG = join(projectRoot, 'bin', 'fig');
const clean = { ...withoutSystem(process.env), NO_COLOR: '1' };

/** Paths of what `npm pack` would take; it builds nothing. */
async function packedFiles(): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts'],
    { cwd: projectRoot, env: process.env, maxBuffer: 10_000_000 },
  );
  const [{ files }] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
  return files.map(({ path }) => path);
}

function importsOf(path: string): readonly string[] {
  const code = readFileSync(join(projectRoot, path), 'utf8');
  return [...code.matchAll(/(?:\bfrom|\bimport\(|^import) ?'([\w@./:-]+)'/gm)].map(
    ([, name = '']) => name,
  );
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

describe('the package', () => {
  it('holds Fig and its manual, all that these import, and nothing of the shop', async () => {
    const files = await packedFiles();
    expect(files).toEqual(
      expect.arrayContaining([
        'bin/fig',
        'dist/index.js',
        'dist/strangler/main.js',
        'dist/facade/main.js',
        'dist/guard/index.js',
        'docs/package.md',
        'LICENSE',
        'package.json',
        'README.md',
      ]),
    );
    const strange =
      /^(dist\/)?(monolith|extracted|migrations|contracts|contract-check|system|rehearsal|tests|bench)\/|\.test\.|\.map$|^(console|facade|strangler)\/|fig\.config/;
    expect(files.filter((path) => strange.test(path) && !path.startsWith('examples/'))).toEqual([]);
    const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
      readFileSync(join(projectRoot, 'package.json'), 'utf8'),
    ) as Record<string, Record<string, string>>;
    const installed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    const missing = files
      .filter((path) => /^dist\/(?!console\/).*\.js$/.test(path))
      .flatMap((path) => importsOf(path).map((name) => [path, name] as const))
      .filter(([path, name]) => {
        if (name.startsWith('.')) return !files.includes(posix.join(dirname(path), name));
        return !name.startsWith('node:') && installed[packageOf(name)] === undefined;
      });
    expect(missing).toEqual([]);
  });

  it('runs a configuration in TypeScript of any folder, and leaves nothing behind', () =>
    withTempDir((folder) =>
      withTwoServers(async (servers) => {
        const below = join(folder, 'src');
        await mkdir(below);
        writeFileSync(join(folder, 'package.json'), '{}');
        writeFileSync(join(folder, 'fig.config.ts'), TYPESCRIPT);
        writeFileSync(join(folder, 'things.ts'), THINGS);
        const env = { ...clean, ...servers };
        const { code } = await withFigUp(
          { command: [FIG], cwd: folder, env },
          async ({ url, output }) => {
            const answered = async (): Promise<string | undefined> =>
              (await request('GET', `${url}/things`)).headers['x-name'] as string | undefined;
            expect(await answered()).toBe('old');
            // No rows move, so that neither an engine nor a Redis is needed.
            expect(Object.keys(readSystemFile(join(folder, '.fig'))?.processes ?? {})).toEqual([
              'facade',
            ]);
            expect(output()).toContain('fig ramp things 10');
            const fig = (...words: string[]) => runCommand([FIG, ...words], { cwd: below, env });
            expect(await fig('ramp', 'things', '100', '--yes')).toMatchObject({ code: 0 });
            await eventually(async () => expect(await answered()).toBe('new'));
            const { output: status } = await fig('status');
            expect(status).toContain('reads 100 %');
            expect((await fig('up')).output).toContain('a system runs on');
          },
        );
        expect(code).toBe(0);
        expect(readSystemFile(join(folder, '.fig'))).toBeUndefined();
      }),
    ));

  it('says what to do where there is no configuration', () =>
    withTempDir(async (folder) => {
      for (const command of ['up', 'status', 'config print']) {
        const { code, output } = await runCommand([FIG, ...command.split(' ')], {
          cwd: folder,
          env: clean,
        });
        expect([command, code, output]).toEqual([
          command,
          1,
          expect.stringMatching(/^error: there is no configuration: .+fig init writes one/),
        ]);
      }
      expect((await runCommand([FIG, 'config', 'schema'], { cwd: folder, env: clean })).code).toBe(
        0,
      );
    }));
});
