import Database from 'better-sqlite3';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/** One row of the table that is carried. */
export type Row = readonly [id: number, name: string, amount: number, at: number];

export const QUEUE = 'one-by-one';
/** Done jobs leave nothing in Redis. */
export const JOB = { removeOnComplete: true, removeOnFail: true } as const;
const AT_ONCE = 500;

/** The usual way: a job for each row, a transaction for each job. Returns rows a second. */
export async function oneByOne(redisUrl: string, file: string, rows: number): Promise<number> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<Row>(QUEUE, { connection });
  let allDone = (): void => {};
  const all = new Promise<void>((resolve) => (allDone = resolve));
  const onApplied = (done: number): void => {
    if (done === rows) allDone();
  };
  const started = performance.now();
  try {
    const work = async (): Promise<number> => {
      for (let first = 1; first <= rows; first += AT_ONCE) {
        await queue.addBulk(jobs(first, Math.min(rows, first + AT_ONCE - 1)));
      }
      await all;
      return (rows / (performance.now() - started)) * 1_000;
    };
    return await withWorker(redisUrl, file, work, onApplied);
  } finally {
    await queue.close();
    connection.disconnect();
  }
}

/** Applies each job by itself while `use` runs. */
export async function withWorker<T>(
  redisUrl: string,
  file: string,
  use: () => Promise<T>,
  onApplied: (done: number) => void = () => {},
): Promise<T> {
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const db = new Database(file);
  db.pragma('synchronous = NORMAL');
  const upsert = db.prepare(`INSERT INTO rows_in VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET name = excluded.name, amount = excluded.amount, at = excluded.at`);
  let done = 0;
  const apply = async ({ data }: { readonly data: Row }): Promise<void> => {
    upsert.run(...data);
    done += 1;
    onApplied(done);
  };
  const worker = new Worker<Row>(QUEUE, apply, { connection, concurrency: 1 });
  try {
    return await use();
  } finally {
    await worker.close();
    connection.disconnect();
    db.close();
  }
}

function jobs(first: number, last: number): { name: string; data: Row; opts: object }[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const id = first + index;
    return {
      name: 'row',
      data: [id, `row ${id}`, id * 7, 1_700_000_000_000 + id * 1_000],
      opts: JOB,
    };
  });
}
