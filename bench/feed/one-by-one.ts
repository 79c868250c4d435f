import Database from 'better-sqlite3';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

/** One row of the table that is carried. */
type Row = readonly [id: number, name: string, amount: number, at: number];

const AT_ONCE = 500;

/** The usual way: a job for each row, a transaction for each job. Returns rows a second. */
export async function oneByOne(redisUrl: string, file: string, rows: number): Promise<number> {
  const producer = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const consumer = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<Row>('one-by-one', { connection: producer });
  const db = new Database(file);
  db.pragma('synchronous = NORMAL');
  const upsert = db.prepare(`INSERT INTO rows_in VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET name = excluded.name, amount = excluded.amount, at = excluded.at`);
  const started = performance.now();
  let worker: Worker<Row> | undefined;
  try {
    const all = new Promise<void>((resolve) => {
      let done = 0;
      const apply = async ({ data }: { readonly data: Row }): Promise<void> => {
        upsert.run(...data);
        done += 1;
        if (done === rows) resolve();
      };
      worker = new Worker<Row>('one-by-one', apply, { connection: consumer, concurrency: 1 });
    });
    for (let first = 1; first <= rows; first += AT_ONCE) {
      await queue.addBulk(jobs(first, Math.min(rows, first + AT_ONCE - 1)));
    }
    await all;
    return (rows / (performance.now() - started)) * 1000;
  } finally {
    await worker?.close();
    await queue.close();
    producer.disconnect();
    consumer.disconnect();
    db.close();
  }
}

function jobs(first: number, last: number): { name: string; data: Row; opts: object }[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const id = first + index;
    return {
      name: 'row',
      data: [id, `row ${id}`, id * 7, 1_700_000_000_000 + id * 1_000],
      opts: { removeOnComplete: true, removeOnFail: true },
    };
  });
}
