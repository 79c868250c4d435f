import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Mapping } from '../../strangler/index.ts';
import { alone, compared, median } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { fill, installPlane, makeSides, plainMapping, realMapping } from '../data/index.ts';
import type { Files, Shape } from '../data/index.ts';

const ROWS = 1_000_000;
const ROUNDS = 3;
const MEMORY_ROWS = [100_000, ROWS] as const;

/** Measures comparing both sides beside `sqldiff`, on equal rows. */
export async function benchReconcile(folder: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  const plain = filled(join(folder, 'plain'), 'plain', ROWS);
  const { ours, rival } = await sideBySide(plain);
  const name = 'reconcile, one shape, 1,000,000 equal rows';
  if (rival === undefined) {
    process.stderr.write('sqldiff is not installed (Debian: sqlite3-tools): no rival here\n');
    results.push(alone({ name, unit: 'rows/s', value: ours }));
  } else {
    const goal = { atLeast: 0.3 };
    const unit = 'rows/s';
    results.push(compared({ name, unit, value: ours, rival: 'sqldiff', rivalValue: rival, goal }));
  }
  const real = filled(join(folder, 'real'), 'real', ROWS);
  const rates = await rounds(realMapping, real);
  results.push(
    alone({
      name: 'reconcile through a mapping with codes, money and times',
      unit: 'rows/s',
      value: median(rates),
      atLeast: 250_000,
    }),
  );
  const [small, large] = MEMORY_ROWS.map((rows) =>
    peakMb(rows === ROWS ? plain : filled(join(folder, String(rows)), 'plain', rows)),
  ) as [number, number];
  results.push(
    compared({
      name: 'peak memory, 1,000,000 rows beside 100,000',
      unit: 'MB',
      value: large,
      rival: 'MB at 100,000',
      rivalValue: small,
      goal: { atMost: 1.25 },
    }),
  );
  return results;
}

function filled(folder: string, shape: Shape, rows: number): Files {
  mkdirSync(folder);
  const files = makeSides(folder, shape);
  fill(files.legacy, shape, 'legacy', rows);
  fill(files.extracted, shape, 'extracted', rows);
  return files;
}

async function sideBySide(files: Files): Promise<{ ours: number; rival: number | undefined }> {
  const [ours, rivals]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    // In turns, so that what disturbs the machine disturbs both.
    const rival = sqldiffRate(files);
    if (rival !== undefined) rivals.push(rival);
    ours.push(...(await rounds(plainMapping, files, 1)));
  }
  return { ours: median(ours), rival: rivals.length === 0 ? undefined : median(rivals) };
}

async function rounds(mapping: Mapping, files: Files, count = ROUNDS): Promise<number[]> {
  const plane = await installPlane(mapping, files);
  await plane.start();
  try {
    const rates: number[] = [];
    for (let round = 0; round < count; round += 1) {
      const started = performance.now();
      const { clean } = await plane.reconcile();
      if (!clean) throw new Error('equal rows were found to differ');
      rates.push((ROWS / (performance.now() - started)) * 1000);
    }
    return rates;
  } finally {
    await plane.stop();
  }
}

function sqldiffRate({ legacy, extracted }: Files): number | undefined {
  const started = performance.now();
  const { error } = spawnSync('sqldiff', ['--table', 'rows_in', legacy, extracted]);
  if (error) return undefined;
  return (ROWS / (performance.now() - started)) * 1000;
}

function peakMb({ legacy, extracted }: Files): number {
  // This file runs from the build, and so does its neighbour.
  const script = new URL('peak-memory.js', import.meta.url).pathname;
  const answer = execFileSync(process.execPath, [script, legacy, extracted], { encoding: 'utf8' });
  const { clean, peakMb: peak } = JSON.parse(answer) as { clean: boolean; peakMb: number };
  if (!clean) throw new Error('equal rows were found to differ');
  return peak;
}
