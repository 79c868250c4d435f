import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compared, inTurns, readable } from '../harness/index.ts';
import type { BenchContext, Lane, Result } from '../harness/index.ts';
import { fill, installReplication, makeSides, plainMapping, realMapping } from '../data/index.ts';
import type { Files, Shape } from '../data/index.ts';
import { equalByScript } from './script.ts';

export interface ReconcileOptions {
  readonly rounds: number;
  readonly rows: number;
}

const mappings = { plain: plainMapping, real: realMapping } as const;

/** Measures comparing both sides, on equal rows. */
export async function benchReconcile(
  context: BenchContext<ReconcileOptions>,
): Promise<readonly Result[]> {
  const { rows } = context.options;
  const files = {
    plain: filled(context, 'plain', rows),
    real: filled(context, 'real', rows),
    small: filled(context, 'plain', rows / 10),
  };
  return [
    ...(await rates(context, 'plain', files.plain)),
    ...(await rates(context, 'real', files.real)),
    await peak(context, files.plain, files.small),
  ];
}

const NAMES = {
  plain: 'reconcile, one shape, equal rows',
  real: 'reconcile through a mapping with codes, money and times',
} as const;

async function rates(
  { options, rivals, signal, say }: BenchContext<ReconcileOptions>,
  shape: Shape,
  files: Files,
): Promise<readonly Result[]> {
  const { rounds, rows } = options;
  const name = NAMES[shape];
  say(`${name}, ${readable(rows)} rows`);
  const diff = rivals && shape === 'plain' && hasSqldiff(say);
  const turns = await inTurns(
    [
      timed('ours', rows, () => reconcile(files, shape)),
      ...(rivals ? [timed('script', rows, () => equalByScript(files, shape))] : []),
      ...(diff ? [timed('sqldiff', rows, () => equalBySqldiff(files))] : []),
    ],
    { rounds, signal, say, show: (perSecond) => `${readable(perSecond)} rows/s` },
  );
  const beside = (rival: string) => turns.beside('ours', rival, (perSecond) => perSecond);
  const unit = 'rows/s';
  return [
    compared({
      name,
      unit,
      rival: 'a script, row by row',
      ...beside('script'),
      goal: { atLeast: 1 },
    }),
    ...(diff
      ? [
          compared({
            name: `${name}, beside sqldiff`,
            unit,
            rival: 'sqldiff',
            ...beside('sqldiff'),
          }),
        ]
      : []),
  ];
}

/** @throws when rows that are equal are found to differ */
function timed(name: string, rows: number, work: () => boolean | Promise<boolean>): Lane<number> {
  return {
    name,
    run: async () => {
      const started = performance.now();
      if (!(await work())) throw new Error(`${name}: equal rows were found to differ`);
      return (rows / (performance.now() - started)) * 1_000;
    },
  };
}

async function peak(
  { options, signal, say }: BenchContext<ReconcileOptions>,
  large: Files,
  small: Files,
): Promise<Result> {
  const { rounds, rows } = options;
  const lane = (name: string, files: Files) => ({ name, run: async () => peakMb(files) });
  const show = (mb: number): string => `${readable(mb)} MB`;
  say('peak memory');
  const lanes = [lane('ours', large), lane('a tenth', small)];
  // It hardly varies, so that three rounds are enough.
  const turns = await inTurns(lanes, { rounds: Math.min(rounds, 3), signal, say, show });
  return compared({
    name: 'peak memory of a comparison',
    unit: 'MB',
    rival: `at ${readable(rows / 10)} rows, a tenth`,
    ...turns.beside('ours', 'a tenth', (mb) => mb),
    goal: { atMost: 1.25 },
  });
}

function filled({ folder }: { readonly folder: string }, shape: Shape, rows: number): Files {
  const own = join(folder, `${shape}-${rows}`);
  mkdirSync(own);
  const files = makeSides(own, shape);
  fill(files.legacy, shape, 'legacy', rows);
  fill(files.extracted, shape, 'extracted', rows);
  return files;
}

async function reconcile(files: Files, shape: Shape): Promise<boolean> {
  const replication = await installReplication(mappings[shape], files);
  await replication.start();
  try {
    return (await replication.reconcile()).clean;
  } finally {
    await replication.stop();
  }
}

function hasSqldiff(say: (text: string) => void): boolean {
  if (spawnSync('sqldiff', ['--help']).error === undefined) return true;
  say('sqldiff is not installed (Debian: sqlite3-tools), so that this rival is left out');
  return false;
}

function equalBySqldiff({ legacy, extracted }: Files): boolean {
  const { status, stdout } = spawnSync('sqldiff', ['--table', 'rows_in', legacy, extracted]);
  return status === 0 && stdout.length === 0;
}

function peakMb({ legacy, extracted }: Files): number {
  // This file runs from the build, and so does its neighbour.
  const script = new URL('peak-memory.js', import.meta.url).pathname;
  const answer = execFileSync(process.execPath, [script, legacy, extracted], { encoding: 'utf8' });
  const { clean, peakMb: most } = JSON.parse(answer) as { clean: boolean; peakMb: number };
  if (!clean) throw new Error('equal rows were found to differ');
  return most;
}
