import Database from 'better-sqlite3';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { setImmediate as afterEvents } from 'node:timers/promises';
import { JOB } from './one-by-one.ts';

/**
 * A process of its own: writes rows at a steady rate and watches the other side until it shows them.
 * Arguments: its file, the file to watch, writes a second, for how long in ms, and, where it is to add a
 * job for each row itself, the Redis and the queue. Prints the lags from commit to visible, in ms.
 */
const [, , file = '', watched = '', rate = '1000', forMs = '4000', redisUrl, queueName] =
  process.argv;
const own = new Database(file, { timeout: 0 });
const other = new Database(watched, { readonly: true });
const connection = redisUrl ? new Redis(redisUrl, { maxRetriesPerRequest: null }) : undefined;
const queue = connection && new Queue(queueName ?? '', { connection });
await queue?.waitUntilReady();
const write = own.prepare('INSERT INTO rows_in (name, amount, at) VALUES (?, ?, ?)');
const shown = other.prepare('SELECT max(id) FROM rows_in').pluck();
const committed = new Map<number, number>();
const lags: number[] = [];
const gap = 1_000 / Number(rate);
const cell = new Int32Array(new SharedArrayBuffer(4));
/** How long the last rows may take to be seen, in ms. */
const PATIENCE_MS = 10_000;

let seen = Number(shown.get() ?? 0);
const started = performance.now();
const until = started + Number(forMs);
let due = started;
for (let now = started; now < until || committed.size > 0; now = performance.now()) {
  if (now > until + PATIENCE_MS) break;
  if (now >= due && now < until) {
    due += gap;
    tryToWrite();
  }
  look();
  // A moment without the processor: the engine shares it. Then what Redis has to say.
  if (performance.now() < due || now >= until) Atomics.wait(cell, 0, 0, 0.2);
  await afterEvents();
}
process.stdout.write(JSON.stringify({ lags, lost: committed.size }));
await queue?.close();
connection?.disconnect();

function tryToWrite(): void {
  const at = Date.now();
  try {
    const id = Number(write.run('lag', 1, at).lastInsertRowid);
    committed.set(id, performance.now());
    void queue?.add('row', [id, 'lag', 1, at], JOB);
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error;
    due = performance.now() + 1;
  }
}

function look(): void {
  const newest = Number(shown.get() ?? 0);
  const now = performance.now();
  for (; seen < newest; seen += 1) {
    const at = committed.get(seen + 1);
    if (at !== undefined) lags.push(now - at);
    committed.delete(seen + 1);
  }
}
