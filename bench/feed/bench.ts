import Database from 'better-sqlite3';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedis } from '../../system/index.ts';
import { fill, installPlane, makeSides, plainMapping, withFile } from '../data/index.ts';
import type { Files } from '../data/index.ts';
import { alone, compared, median, quantile } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { oneByOne } from './one-by-one.ts';
import { benchPostgres } from './postgres.ts';
import { runWriter } from './writers.ts';

const ROWS = 200_000;
const RIVAL_ROWS = 10_000;
const ROUNDS = 3;
const CATCH_UP_MS = 60_000;
const WRITER_MS = 3_000;
const WRITER_ROUNDS = 8;

type Part = (folder: string, redisUrl: string) => Promise<readonly Result[]>;

/** What can be measured by itself, by name. */
export const PARTS: Readonly<Record<string, Part>> = {
  'catch-up': catchUp,
  lag,
  writers: async (folder, redisUrl) => [
    await writerBeside(folder, redisUrl, 0),
    await writerBeside(folder, redisUrl, 4),
  ],
  capture: async (folder) => [await captureCost(folder)],
  postgres: async (_folder, redisUrl) => [await benchPostgres(redisUrl)],
};

/**
 * Measures the feed: catching up, its lag, and what it costs those who write.
 * @param only one of `PARTS`; all when left out
 */
export async function benchFeed(folder: string, only?: string): Promise<readonly Result[]> {
  const redis = await startRedis(folder);
  const results: Result[] = [];
  try {
    for (const [name, part] of Object.entries(PARTS)) {
      if (only === undefined || only === name) results.push(...(await part(folder, redis.url)));
    }
    return results;
  } finally {
    await redis.stop();
  }
}

async function sides(folder: string): Promise<Files> {
  return makeSides(await mkdtemp(join(folder, 'sides-')), 'plain');
}

async function catchUp(folder: string, redisUrl: string): Promise<Result[]> {
  const [ours, rivals]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    rivals.push(await oneByOne(redisUrl, (await sides(folder)).extracted, RIVAL_ROWS));
    ours.push(await catchUpRate(await sides(folder), redisUrl));
  }
  const value = median(ours);
  const unit = 'rows/s';
  return [
    compared({
      name: 'catch-up through BullMQ',
      unit,
      value,
      rival: 'one job and transaction a row',
      rivalValue: median(rivals),
      goal: { atLeast: 10 },
    }),
    alone({ name: 'catch-up while the source idles', unit, value, atLeast: 80_000 }),
  ];
}

async function catchUpRate(files: Files, redisUrl: string): Promise<number> {
  const plane = await installPlane(plainMapping, files, redisUrl);
  fill(files.legacy, 'plain', 'legacy', ROWS);
  const started = performance.now();
  await plane.start();
  try {
    // A barrier would read the feed past the queue, for whoever waits at it.
    await whenShown(files, ROWS);
    return (ROWS / (performance.now() - started)) * 1000;
  } finally {
    await plane.stop();
  }
}

async function whenShown({ extracted }: Files, rows: number): Promise<void> {
  const deadline = performance.now() + CATCH_UP_MS;
  const db = new Database(extracted, { readonly: true });
  const newest = db.prepare('SELECT max(id) FROM rows_in').pluck();
  try {
    while (newest.get() !== rows) {
      if (performance.now() > deadline) throw new Error('the applier did not catch up');
      await delay(10);
    }
  } finally {
    db.close();
  }
}

async function lag(folder: string, redisUrl: string): Promise<Result[]> {
  const files = await sides(folder);
  const plane = await installPlane(plainMapping, files, redisUrl);
  await plane.start();
  try {
    type Lags = { lags: number[]; lost: number };
    const run = (ms: number): Promise<Lags> =>
      runWriter('row-writer', files.legacy, files.extracted, 1_000, ms);
    await run(1_000);
    const { lags, lost } = await run(WRITER_MS);
    if (lost > 0) throw new Error(`${lost} rows never came`);
    const name = `lag at ${Math.round((lags.length / WRITER_MS) * 1000)} writes/s`;
    return [
      alone({ name: `${name}, p50`, unit: 'ms', value: quantile(lags, 0.5), atMost: 5 }),
      alone({ name: `${name}, p99`, unit: 'ms', value: quantile(lags, 0.99), atMost: 25 }),
    ];
  } finally {
    await plane.stop();
  }
}

const ORDERS = `CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, total INTEGER);
  CREATE TABLE order_lines (order_id, item, amount, PRIMARY KEY (order_id, item))`;

/** Somebody writes orders to the database that the applier writes its rows to. */
async function writerBeside(folder: string, redisUrl: string, indexes: number): Promise<Result> {
  // The slowest hundredth of one round is six writes: only many rounds together say anything.
  const [before, during]: [number[], number[]] = [[], []];
  for (let round = 0; round < WRITER_ROUNDS; round += 1) {
    const took = await writesBeside(folder, redisUrl, indexes);
    before.push(...took.before);
    during.push(...took.during);
  }
  return compared({
    name: `p99 of an order's write while changes are applied${indexes > 0 ? `, ${indexes} more indexes` : ''}`,
    unit: 'ms',
    value: quantile(during, 0.99),
    rival: 'without the applier',
    rivalValue: quantile(before, 0.99),
    goal: { atMost: 2 },
  });
}

/** How long each write took before there was an applier, and while it was applying, in ms. */
async function writesBeside(
  folder: string,
  redisUrl: string,
  indexes: number,
): Promise<{ readonly before: readonly number[]; readonly during: readonly number[] }> {
  const files = await sides(folder);
  withFile(files.extracted, (db) => {
    db.exec(ORDERS);
    for (let index = 0; index < indexes; index += 1) {
      db.exec(`CREATE INDEX extra_${index} ON rows_in (name, amount, at, ${index})`);
    }
  });
  const write = async (): Promise<readonly number[]> => {
    const { took } = await runWriter<{ took: number[] }>(
      'order-writer',
      files.extracted,
      200,
      WRITER_MS,
    );
    return took;
  };
  const before = await write();
  const plane = await installPlane(plainMapping, files, redisUrl);
  fill(files.legacy, 'plain', 'legacy', 2 * ROWS);
  await plane.start();
  const during = await write();
  const { feed } = await plane.status();
  await plane.stop();
  if (feed.applied === 0 || feed.lag === 0) throw new Error('nothing was applied all that time');
  return { before, during };
}

/** Orders of a few rows, one of them captured. */
async function captureCost(folder: string): Promise<Result> {
  const [captured, bare]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(await orderRate(folder, false));
    captured.push(await orderRate(folder, true));
  }
  return compared({
    name: "the monolith's orders with capture",
    unit: 'orders/s',
    value: median(captured),
    rival: 'without',
    rivalValue: median(bare),
    goal: { atLeast: 0.85 },
  });
}

async function orderRate(folder: string, capture: boolean): Promise<number> {
  const files = await sides(folder);
  fill(files.legacy, 'plain', 'legacy', 1_000);
  withFile(files.legacy, (db) => db.exec(ORDERS));
  if (capture) await (await installPlane(plainMapping, files)).stop();
  const { took } = await runWriter<{ took: number[] }>(
    'order-writer',
    files.legacy,
    0,
    1_500,
    'rows',
  );
  return took.length / 1.5;
}
