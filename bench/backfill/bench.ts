import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { compared, inTurns, readable } from '../harness/index.ts';
import type { BenchContext, Result } from '../harness/index.ts';
import {
  fill,
  installReplication,
  makeSides,
  plainMapping,
  realMapping,
  withFile,
} from '../data/index.ts';
import type { Files, Shape } from '../data/index.ts';
import { copyByScript } from './script.ts';

export interface BackfillOptions {
  readonly rounds: number;
  readonly rows: number;
}

const mappings = { plain: plainMapping, real: realMapping } as const;

/** The same copy by hand, as one statement. */
const STATEMENT = {
  plain: 'INSERT INTO rows_in SELECT * FROM source.rows_in',
  real: `INSERT INTO payments SELECT PAY_NO, ORD_NO, CAST(replace(AMT_TXT, '.', '') AS INTEGER),
    CASE STAT_CD WHEN 'P' THEN 'pending' WHEN 'S' THEN 'settled' ELSE 'declined' END,
    CAST(strftime('%s', CRT_TS) AS INTEGER) * 1000 + CAST(substr(CRT_TS, 21) AS INTEGER)
    FROM source.PAY_TXN`,
} as const;

/** Measures a live copy beside a script and beside one statement. */
export async function benchBackfill(
  context: BenchContext<BackfillOptions>,
): Promise<readonly Result[]> {
  return [
    ...(await side(context, 'plain', 'backfill, one shape')),
    ...(await side(context, 'real', 'backfill through a mapping with codes, money and times')),
  ];
}

async function side(
  { folder, options, rivals, signal, say }: BenchContext<BackfillOptions>,
  shape: Shape,
  name: string,
): Promise<readonly Result[]> {
  const { rounds, rows } = options;
  say(`${name}, ${readable(rows)} rows`);
  const lane = (lanes: string, copy: (files: Files) => number | Promise<number>) => ({
    name: lanes,
    run: async () => {
      const own = join(folder, `${shape}-copy`);
      const files = filled(own, shape, rows);
      const ms = await copy(files);
      rmSync(own, { recursive: true });
      return (rows / ms) * 1_000;
    },
  });
  const script = (files: Files): number => byHand(files, (db) => copyByScript(db, shape));
  const statement = (files: Files): number => byHand(files, (db) => db.exec(STATEMENT[shape]));
  const lanes = [
    lane('ours', (files) => live(files, shape, rows)),
    ...(rivals ? [lane('script', script), lane('one statement', statement)] : []),
  ];
  const show = (perSecond: number): string => `${readable(perSecond)} rows/s`;
  const turns = await inTurns(lanes, { rounds, signal, say, show });
  const unit = 'rows/s';
  return [
    compared({
      name,
      unit,
      rival: 'a script, page by page',
      ...turns.beside('ours', 'script', (perSecond) => perSecond),
      goal: { atLeast: 0.3 },
    }),
    ...(rivals
      ? [
          compared({
            name: `${name}, beside one statement`,
            unit,
            rival: 'INSERT ... SELECT',
            ...turns.beside('ours', 'one statement', (perSecond) => perSecond),
          }),
        ]
      : []),
  ];
}

function filled(folder: string, shape: Shape, rows: number): Files {
  mkdirSync(folder);
  const files = makeSides(folder, shape);
  fill(files.legacy, shape, 'legacy', rows);
  return files;
}

/** How long it takes, in ms. */
function byHand({ legacy, extracted }: Files, copy: (db: Database.Database) => unknown): number {
  return withFile(extracted, (db) => {
    db.pragma('synchronous = NORMAL');
    db.prepare('ATTACH ? AS source').run(legacy);
    const started = performance.now();
    copy(db);
    return performance.now() - started;
  });
}

/** How long our copy takes, in ms. */
async function live(files: Files, shape: Shape, rows: number): Promise<number> {
  const replication = await installReplication(mappings[shape], files);
  await replication.start();
  try {
    const started = performance.now();
    await replication.backfill();
    const ms = performance.now() - started;
    const { backfill } = await replication.status();
    if (!backfill.complete || backfill.rows !== rows) throw new Error('the copy is not whole');
    return ms;
  } finally {
    await replication.stop();
  }
}
