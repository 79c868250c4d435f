import Database from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { fill, installReplication, plainMapping } from '../data/index.ts';
import { compared, inTurns, readable } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import { newSides } from './context.ts';
import type { FeedContext } from './context.ts';
import { oneByOne } from './one-by-one.ts';

const CATCH_UP_MS = 120_000;
/** One by one, a row takes so much longer that fewer say as much. */
const RIVAL_SHARE = 1 / 20;

/** How fast a backlog is worked off, beside a job and a transaction for each row. */
export async function catchUp(context: FeedContext): Promise<readonly Result[]> {
  const { folder, redisUrl, rivals, signal, say } = context;
  const { rounds, rows } = context.options;
  const ours = { name: 'ours', run: () => catchUpRate(context) };
  const rival = {
    name: 'one job a row',
    run: async () => {
      const { extracted } = await newSides(folder);
      return oneByOne(redisUrl, extracted, Math.ceil(rows * RIVAL_SHARE));
    },
  };
  const show = (perSecond: number): string => `${readable(perSecond)} rows/s`;
  const lanes = rivals ? [ours, rival] : [ours];
  const turns = await inTurns(lanes, { rounds, signal, say, show });
  return [
    compared({
      name: 'catch-up through BullMQ',
      unit: 'rows/s',
      rival: 'one job and transaction a row',
      ...turns.beside('ours', 'one job a row', (perSecond) => perSecond),
      goal: { atLeast: 10 },
    }),
  ];
}

async function catchUpRate({ folder, redisUrl, options }: FeedContext): Promise<number> {
  const files = await newSides(folder);
  const replication = await installReplication(plainMapping, files, redisUrl);
  fill(files.legacy, 'plain', 'legacy', options.rows);
  const started = performance.now();
  await replication.start();
  try {
    // A request that waits at a barrier would make the engine read the feed past the queue.
    await whenShown(files.extracted, options.rows);
    return (options.rows / (performance.now() - started)) * 1_000;
  } finally {
    await replication.stop();
  }
}

async function whenShown(extracted: string, rows: number): Promise<void> {
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
