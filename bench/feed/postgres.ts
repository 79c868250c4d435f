import { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '../../chassis/index.ts';
import { Replication, openSides } from '../../strangler/index.ts';
import { startPostgres } from '../../system/index.ts';
import type { PrivatePostgres } from '../../system/index.ts';
import { plainMapping } from '../data/index.ts';
import { compared, inTurns, readable } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';
import type { FeedContext } from './context.ts';

/** Rows in one transaction of the source. */
const TOGETHER = 100;
const CATCH_UP_MS = 120_000;

const TABLE = `CREATE TABLE rows_in (id BIGINT PRIMARY KEY, name TEXT NOT NULL,
  amount BIGINT NOT NULL, at BIGINT NOT NULL)`;

/**
 * Catching up from PostgreSQL to PostgreSQL, beside its own logical replication of the same rows. Neither
 * side's writing of the rows is in its time, so neither is what that costs the writer: our triggers, which
 * write each change down once more, and the log, which has it anyway. In our time: giving out positions,
 * reading, Redis there and back, applying. In the rival's: making the subscription, starting its workers,
 * decoding the log, applying. It sends rows as they are; ours could be mapped, and parked.
 */
export async function benchPostgres(context: FeedContext): Promise<readonly Result[]> {
  const { redisUrl, rivals, signal, say, options } = context;
  // Transactions are whole.
  const rows = Math.ceil(options.rows / TOGETHER) * TOGETHER;
  const postgres = await startPostgres();
  try {
    await startSubscribersAtOnce(postgres);
    const ours = {
      name: 'ours',
      run: () => withPair(postgres, (pair) => feedRate(pair, redisUrl, rows)),
    };
    const rival = {
      name: 'replication',
      run: () => withPair(postgres, (pair) => replicationRate(pair, rows)),
    };
    const show = (perSecond: number): string => `${readable(perSecond)} rows/s`;
    const lanes = rivals ? [ours, rival] : [ours];
    const turns = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
    return [
      compared({
        name: 'catch-up through BullMQ, PostgreSQL to PostgreSQL',
        unit: 'rows/s',
        rival: 'its own logical replication',
        ...turns.beside('ours', 'replication', (perSecond) => perSecond),
        goal: { atLeast: 0.5 },
      }),
    ];
  } finally {
    await postgres.stop();
  }
}

/** Otherwise a server starts no more than one of them in five seconds, which would be in their time. */
async function startSubscribersAtOnce({ url }: PrivatePostgres): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query("ALTER SYSTEM SET wal_retrieve_retry_interval = '1ms'");
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

interface Side {
  readonly url: string;
  readonly client: Client;
}

interface Pair {
  readonly source: Side;
  readonly target: Side;
}

async function withPair<T>(
  postgres: PrivatePostgres,
  work: (pair: Pair) => Promise<T>,
): Promise<T> {
  const databases = [await postgres.createDatabase(), await postgres.createDatabase()];
  const [source, target] = databases.map(({ url }): Side => ({
    url,
    client: new Client({ connectionString: url }),
  })) as [Side, Side];
  try {
    for (const { client } of [source, target]) {
      await client.connect();
      await client.query(TABLE);
    }
    return await work({ source, target });
  } finally {
    for (const { client } of [source, target]) await client.end();
    for (const database of databases) await database.drop();
  }
}

/** Writes the rows, in many transactions. */
async function fill({ client }: Side, rows: number): Promise<void> {
  await client.query(
    `DO $$ BEGIN FOR nr IN 0..${rows / TOGETHER - 1} LOOP
       INSERT INTO rows_in SELECT i, 'row ' || i, i * 7, 1700000000000 + i * 1000
         FROM generate_series(nr * ${TOGETHER} + 1, (nr + 1) * ${TOGETHER}) i;
       COMMIT;
     END LOOP; END $$`,
  );
}

async function feedRate({ source, target }: Pair, redisUrl: string, rows: number): Promise<number> {
  const urls = { legacy: source.url, extracted: target.url };
  const databases = openSides(plainMapping, urls);
  const log = createLog('bench', 'silent');
  const replication = new Replication({ mapping: plainMapping, databases, redisUrl, log });
  await replication.install();
  await fill(source, rows);
  const started = performance.now();
  await replication.start();
  try {
    return await rateUntilShown(target, started, rows);
  } finally {
    await replication.stop();
  }
}

/** The slot is made by hand: a server that is its own subscriber would wait for itself. */
async function replicationRate({ source, target }: Pair, rows: number): Promise<number> {
  await source.client.query('CREATE PUBLICATION rows FOR TABLE rows_in');
  await source.client.query(`SELECT pg_create_logical_replication_slot('rows', 'pgoutput')`);
  await fill(source, rows);
  const started = performance.now();
  await target.client.query(
    `CREATE SUBSCRIPTION rows CONNECTION '${source.url}' PUBLICATION rows
       WITH (create_slot = false, slot_name = 'rows', copy_data = false)`,
  );
  try {
    return await rateUntilShown(target, started, rows);
  } finally {
    await target.client.query('DROP SUBSCRIPTION rows');
    await source.client.query('DROP PUBLICATION rows');
  }
}

async function rateUntilShown({ client }: Side, started: number, rows: number): Promise<number> {
  for (;;) {
    const { rowCount } = await client.query('SELECT FROM rows_in WHERE id = $1', [rows]);
    if (rowCount === 1) return (rows / (performance.now() - started)) * 1000;
    if (performance.now() - started > CATCH_UP_MS) throw new Error('the target did not catch up');
    await delay(10);
  }
}
