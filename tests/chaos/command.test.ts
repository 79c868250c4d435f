import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { readSystemFile } from '../../system/index.ts';
import { isAlive } from '../system/is-alive.ts';
import { eventually, withTempDir } from '../support/index.ts';
import { chaosCommand } from './base/runs.ts';
import type { RunReport } from './base/runs.ts';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function command(
  words: readonly string[],
  run: (seed: number) => Promise<RunReport>,
): Promise<Said> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { stdout, stderr } as unknown as Pick<NodeJS.Process, 'stdout' | 'stderr'>;
  const about = {
    name: 'chaos:test',
    description: 'x',
    run: ({ seed }: { seed: number }) => run(seed),
  };
  const code = await chaosCommand(about, words, io);
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
}

describe('a chaos command', () => {
  it('goes on after a run that broke a promise, and says how to repeat it', () =>
    withTempDir(async (directory) => {
      const json = join(directory, 'report.json');
      const { code, out, err } = await command(
        ['--runs', '3', '--seed', '7', '--json', json],
        (seed) =>
          Promise.resolve({ broken: seed === 8 ? ['a row is gone'] : [], facts: { orders: seed } }),
      );
      expect(code).toBe(1);
      expect(out).toBe(
        '3 runs: 1 broke a promise\nagain: npm run chaos:test -- --runs 1 --seed 8\n',
      );
      expect(err).toContain('- a row is gone');
      const { runs } = JSON.parse(await readFile(json, 'utf8')) as { runs: object[] };
      expect(runs).toMatchObject([
        { seed: 7, broken: [], facts: { orders: 7 } },
        { seed: 8, broken: ['a row is gone'] },
        { seed: 9, broken: [] },
      ]);
    }));

  it('takes a run that could not be carried out for a failed one', async () => {
    const { code, out, err } = await command(['--runs', '1'], () =>
      Promise.reject(new Error('no system')),
    );
    expect({ code, out }).toEqual({
      code: 1,
      out: '1 runs: 1 broke a promise\nagain: npm run chaos:test -- --runs 1 --seed 1\n',
    });
    expect(err).toContain('Error: no system');
  });

  it.each([[['--runs', '0']], [['--seed', 'x']], [['--nonsense']]])('refuses %j', async (words) => {
    expect((await command(words, () => Promise.reject(new Error('not run')))).code).toBe(2);
  });

  it(
    'takes its system down when it is interrupted',
    () =>
      withTempDir(async (directory) => {
        const main = fileURLToPath(new URL('feed/main.ts', import.meta.url));
        const child = spawn(process.execPath, ['--import', 'tsx', main, '--runs', '1'], {
          env: { ...process.env, TMPDIR: directory },
          stdio: 'ignore',
        });
        const exit = once(child, 'exit');
        const folders = async (): Promise<string[]> =>
          (await readdir(directory)).filter((name) => name.startsWith('fig-'));
        const pids = await eventually(async () => {
          const files = (await folders()).map((name) => readSystemFile(join(directory, name)));
          const processes = files.flatMap((file) => Object.values(file?.processes ?? {}));
          return processes.length > 4 && processes.map(({ pid }) => pid);
        });
        child.kill('SIGINT');
        expect(await exit).toEqual([130, null]);
        expect(pids.filter(isAlive)).toEqual([]);
        expect(await folders()).toEqual([]);
      }),
    60_000,
  );
});
