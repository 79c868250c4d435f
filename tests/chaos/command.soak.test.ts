import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from '@jest/globals';
import { readSystemFile } from '../../system/index.ts';
import { isAlive } from '../system/is-alive.ts';
import { built, eventually, withTempDir } from '../support/index.ts';
import { BrokenPromise, chaosCommand, unprovenWithout } from './base/runs.ts';
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

const KEPT: RunReport = { broken: [], facts: { orders: 12 } };

describe('a chaos command', () => {
  it('ends with 0 when every run kept every promise', async () => {
    const { code, out } = await command(['--runs', '2'], () => Promise.resolve(KEPT));
    expect({ code, out }).toEqual({ code: 0, out: '2 runs: nothing was lost\n' });
  });

  it('goes on after a run that broke a promise, says how to repeat it, and ends with 1', () =>
    withTempDir(async (directory) => {
      const json = join(directory, 'report.json');
      const { code, out, err } = await command(
        ['--runs', '3', '--seed', '7', '--json', json],
        (seed) => {
          if (seed === 7) return Promise.reject(new Error('no system'));
          return Promise.resolve(seed === 8 ? { ...KEPT, broken: ['a row is gone'] } : KEPT);
        },
      );
      expect(code).toBe(1);
      expect(out).toBe(
        '3 runs: 1 broke a promise, 1 inconclusive, 1 lost nothing\n' +
          'again: npm run chaos:test -- --runs 1 --seed 8\n' +
          'again: npm run chaos:test -- --runs 1 --seed 7\n',
      );
      expect(err).toMatch(/BROKEN after .* orders 12\n  - a row is gone/);
      const { runs } = JSON.parse(await readFile(json, 'utf8')) as { runs: object[] };
      expect(runs).toMatchObject([
        { seed: 7, verdict: 'inconclusive' },
        { seed: 8, verdict: 'broke', broken: ['a row is gone'], facts: { orders: 12 } },
        { seed: 9, verdict: 'kept', broken: [] },
      ]);
    }));

  it('takes what never comes to rest for broken', async () => {
    const { code, err } = await command(['--runs', '1'], () =>
      Promise.reject(new BrokenPromise('inventory lags by 3 changes')),
    );
    expect(code).toBe(1);
    expect(err).toContain('  - inventory lags by 3 changes\n');
  });

  it.each([
    ['could not be carried out', () => Promise.reject(new Error('no system')), 'Error: no system'],
    [
      'shows nothing',
      () => Promise.resolve({ ...KEPT, ...unprovenWithout({ orders: 0, strikes: 2 }) }),
      'there were no orders',
    ],
  ])('ends with 3 when a run %s', async (_name, run: () => Promise<RunReport>, reason) => {
    const { code, out, err } = await command(['--runs', '2'], (seed) =>
      seed === 1 ? Promise.resolve(KEPT) : run(),
    );
    expect({ code, out }).toEqual({
      code: 3,
      out:
        '2 runs: 1 inconclusive, 1 lost nothing\n' +
        'again: npm run chaos:test -- --runs 1 --seed 2\n',
    });
    expect(err).toMatch(/INCONCLUSIVE after/);
    expect(err).toContain(reason);
  });

  it('says in its help what each exit code means', async () => {
    const { code, out } = await command(['--help'], () => Promise.reject(new Error('not run')));
    expect(code).toBe(0);
    expect(out).toMatch(/Exit: 0 .* 1 .* 3 .*inconclusive, 2 .* 130 /s);
  });

  it('finds a system that does not come up inconclusive, and is not silent meanwhile', async () => {
    const main = built(new URL('feed/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--enable-source-maps', main, '--runs', '1'], {
      // The card processor refuses to start with it.
      env: { ...process.env, PROVIDER_SLOW_MS: 'soon' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (child.exitCode === null) await once(child, 'exit');
    expect(child.exitCode).toBe(3);
    expect(out).toBe('1 runs: 1 inconclusive\nagain: npm run chaos:feed -- --runs 1 --seed 1\n');
    expect(err).toMatch(/INCONCLUSIVE after .*\n.*provider.*PROVIDER_SLOW_MS/s);
  });

  it.each([[['--runs', '0']], [['--seed', 'x']], [['--nonsense']]])('refuses %j', async (words) => {
    expect((await command(words, () => Promise.reject(new Error('not run')))).code).toBe(2);
  });

  it(
    'takes its system down when it is interrupted',
    () =>
      withTempDir(async (directory) => {
        const main = built(new URL('feed/main.ts', import.meta.url));
        const child = spawn(process.execPath, ['--enable-source-maps', main, '--runs', '1'], {
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
