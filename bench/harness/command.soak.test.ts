import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { eventually, withTempDir } from '../../tests/support/index.ts';
import { publish } from './report.ts';
import type { Report } from './report.ts';
import { alone, compared } from './result.ts';

const BRIEF = ['--rounds', '1', '--ms', '50'];

/** The smallest of the benchmarks, as it is built. */
function start(words: readonly string[], folder: string): ChildProcess {
  const program = join(projectRoot, 'dist/bench/commits/main.js');
  const env = { ...process.env, TMPDIR: folder };
  return spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(
  words: readonly string[],
  folder: string,
): Promise<{ code: number | null; out: string; progress: string }> {
  const child = start(words, folder);
  if (!child.stdout || !child.stderr) throw new Error('both are pipes');
  const [[code], out, progress] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, out, progress };
}

describe('a benchmark', () => {
  test('tells how long it takes and what its exit codes mean', () =>
    withTempDir(async (folder) => {
      const { code, out } = await run(['--help'], folder);
      expect(code).toBe(0);
      expect(out).toMatch(/It takes .* on two cores; with --against, .* for each pair/);
      expect(out).toContain(
        '1 when one was missed, 2 for wrong usage, 3 when it could not measure',
      );
    }));

  test.each([
    { words: ['--round', '3'], says: "unknown option '--round'" },
    { words: ['--rounds', '0'], says: 'give how often each has its turn, such as 7' },
    { words: ['more'], says: 'too many arguments' },
    { words: ['--against', '/nowhere'], says: 'npm run build' },
  ])('refuses $words as wrong usage, before it measures', ({ words, says }) =>
    withTempDir(async (folder) => {
      const { code, out, progress } = await run(words, folder);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(progress).toContain(says);
    }),
  );

  test('writes one row for each figure, and what it was measured on', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'report.json');
      const { code, progress } = await run([...BRIEF, '--json', file], folder);
      // Whether goals are met is not for such a short run to say.
      expect([0, 1]).toContain(code);
      expect(progress).toContain('round 1 of 1');
      const { machine, results } = JSON.parse(await readFile(file, 'utf8')) as Report;
      expect(machine).toMatchObject({ cores: expect.any(Number), node: process.version });
      expect(results).toHaveLength(6);
      expect(results[0]).toEqual({
        name: 'write transactions, 1 at once',
        unit: 'transactions/s',
        value: expect.any(Number),
        rival: 'a turn of the disk for each',
        rivalValue: expect.any(Number),
        ratio: expect.any(Number),
        interval: { low: expect.any(Number), high: expect.any(Number), confidence: 0 },
        goal: '>= 0.9x',
        ok: expect.any(Boolean),
      });
    }));

  test('measures another clone in turn, without rivals', () =>
    withTempDir(async (folder) => {
      const file = join(folder, 'report.json');
      const words = [...BRIEF, '--json', file, '--against', projectRoot, '--pairs', '1'];
      const { code, progress } = await run(words, folder);
      expect([0, 1]).toContain(code);
      expect(progress).toMatch(/^ours 1 of 1 \| +round 1 of 1 +ours .* transactions\/s$/m);
      expect(progress).toMatch(/^theirs 1 of 1 \| +round 1 of 1 +ours .* transactions\/s$/m);
      const { results } = JSON.parse(await readFile(file, 'utf8')) as Report;
      expect(results).toHaveLength(6);
      for (const { value, rivalValue, ratio } of results) {
        expect(ratio).toBeCloseTo(value / Number(rivalValue), 6);
      }
    }));

  test('clears up when it is interrupted', () =>
    withTempDir(async (folder) => {
      const child = start(['--rounds', '1000', '--against', projectRoot], folder);
      const ended = once(child, 'exit');
      let progress = '';
      child.stderr?.on('data', (chunk) => (progress += String(chunk)));
      await eventually(() => expect(progress).toContain('1 at once'));
      child.kill('SIGINT');
      expect(await ended).toEqual([130, null]);
      expect(await readdir(folder)).toEqual([]);
    }));
});

describe('a report', () => {
  const machine = { cpu: 'x', cores: 2, memoryGb: 4, system: 'x', node: 'x', tools: {} };
  const beside = { name: 'copying', unit: 'rows/s', rival: 'a script', rivalValue: 100 };

  test.each([
    { what: 'met', value: 50, ok: true },
    { what: 'missed', value: 49, ok: false },
  ])('says that a goal is $what', async ({ value, ok }) => {
    const results = [
      compared({ ...beside, value, goal: { atLeast: 0.5 } }),
      alone({ name: 'for information', unit: 'ms', value: 1 }),
    ];
    expect(await publish({ machine, results }, undefined)).toBe(ok);
  });

  test('judges nothing that has no rival', () => {
    const { rivalValue: _none, ...without } = beside;
    expect(compared({ ...without, value: 1, goal: { atLeast: 0.5 } })).toMatchObject({
      ratio: null,
      goal: null,
      ok: true,
    });
  });
});
