import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { compared, median } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import {
  fill,
  installPlane,
  makeSides,
  plainMapping,
  realMapping,
  withFile,
} from '../data/index.ts';
import type { Files, Shape } from '../data/index.ts';

const ROWS = 400_000;
const ROUNDS = 3;
const mappings = { plain: plainMapping, real: realMapping } as const;

/** The same copy by hand, as one statement. */
const BY_HAND = {
  plain: 'INSERT INTO rows_in SELECT * FROM source.rows_in',
  real: `INSERT INTO payments SELECT PAY_NO, ORD_NO, CAST(replace(AMT_TXT, '.', '') AS INTEGER),
    CASE STAT_CD WHEN 'P' THEN 'pending' WHEN 'S' THEN 'settled' ELSE 'declined' END,
    CAST(strftime('%s', CRT_TS) AS INTEGER) * 1000 + CAST(substr(CRT_TS, 21) AS INTEGER)
    FROM source.PAY_TXN`,
} as const;

/** Measures a live copy beside one INSERT ... SELECT across attached databases. */
export async function benchBackfill(folder: string): Promise<readonly Result[]> {
  return [
    await side(folder, 'plain', 'backfill, one shape'),
    await side(folder, 'real', 'backfill through a mapping with codes, money and times'),
  ];
}

async function side(folder: string, shape: Shape, name: string): Promise<Result> {
  const [ours, rivals]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    rivals.push(byHand(filled(join(folder, `${shape}-hand-${round}`), shape), shape));
    ours.push(await live(filled(join(folder, `${shape}-live-${round}`), shape), shape));
  }
  return compared({
    name: `${name}, ${ROWS.toLocaleString('en-US')} rows`,
    unit: 'rows/s',
    value: median(ours),
    rival: 'INSERT ... SELECT',
    rivalValue: median(rivals),
    goal: { atLeast: 0.25 },
  });
}

function filled(folder: string, shape: Shape): Files {
  mkdirSync(folder);
  const files = makeSides(folder, shape);
  fill(files.legacy, shape, 'legacy', ROWS);
  return files;
}

function byHand({ legacy, extracted }: Files, shape: Shape): number {
  return withFile(extracted, (db) => {
    db.pragma('synchronous = NORMAL');
    db.prepare('ATTACH ? AS source').run(legacy);
    const started = performance.now();
    db.exec(BY_HAND[shape]);
    return (ROWS / (performance.now() - started)) * 1000;
  });
}

async function live(files: Files, shape: Shape): Promise<number> {
  const plane = await installPlane(mappings[shape], files);
  await plane.start();
  try {
    const started = performance.now();
    await plane.backfill();
    const rate = (ROWS / (performance.now() - started)) * 1000;
    const { backfill } = await plane.status();
    if (!backfill.complete || backfill.rows !== ROWS) throw new Error('the copy is not whole');
    return rate;
  } finally {
    await plane.stop();
  }
}
