import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import Driver from 'better-sqlite3';
import { openDatabase } from '../../chassis/index.ts';
import type { Transaction } from '../../chassis/index.ts';
import { compared, inTurns, quantile, readable } from '../harness/index.ts';
import type { BenchContext, Result } from '../harness/index.ts';

export interface CommitOptions {
  readonly rounds: number;
  /** How long a turn is. */
  readonly ms: number;
}

const SKUS = 20;
/** How many requests are under way at once. */
const CLIENTS = [1, 4, 32] as const;

interface Turn {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Measures writes as the services make them: a key, a level read and changed, a movement. */
export async function benchCommits(
  context: BenchContext<CommitOptions>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const clients of CLIENTS) {
    context.say(`${clients} at once`);
    results.push(...(await withClients(context, clients)));
  }
  return results;
}

async function withClients(
  { folder, options, rivals, signal, say }: BenchContext<CommitOptions>,
  clients: number,
): Promise<readonly Result[]> {
  const lane = (name: string, way: Way) => ({
    name,
    run: (round: number) =>
      turn(join(folder, `${name}-${clients}-${round}.db`), clients, way, options.ms),
  });
  const lanes = [lane('ours', byDatabase), ...(rivals ? [lane('driver', byDriver)] : [])];
  const show = ({ perSecond }: Turn): string => `${readable(perSecond)} transactions/s`;
  const rounds = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
  const rival = 'the driver alone';
  return [
    compared({
      name: `write transactions, ${clients} at once`,
      unit: 'transactions/s',
      rival,
      ...rounds.beside('ours', 'driver', ({ perSecond }) => perSecond),
      // What builds the queries takes its time, too, on a disk that takes none.
      goal: { atLeast: 0.3 },
    }),
    compared({
      name: `write transactions, p99, ${clients} at once`,
      unit: 'ms',
      rival,
      ...rounds.beside('ours', 'driver', ({ p99Ms }) => p99Ms),
    }),
  ];
}

/** One write of a service on a database that `prepare` has made, and what closes it. */
interface Writer {
  write(key: string, sku: string): Promise<unknown>;
  close(): Promise<void>;
}

type Way = (file: string) => Promise<Writer>;

const byDatabase: Way = async (file) => {
  const database = await openDatabase(`file:${file}`);
  return {
    write: (key, sku) => database.transaction((trx) => adjust(trx, key, sku)),
    close: () => database.close(),
  };
};

/** The same statements, prepared by hand. */
const byDriver: Way = async (file) => {
  const database = new Driver(file);
  database.pragma('synchronous = FULL');
  const key = database.prepare('SELECT * FROM request_keys WHERE key = ? LIMIT 1');
  const level = database.prepare('SELECT * FROM levels WHERE sku = ? LIMIT 1');
  const change = database.prepare('UPDATE levels SET on_hand = on_hand + 1 WHERE sku = ?');
  const movement = database.prepare('INSERT INTO movements (sku) VALUES (?)');
  const answer = database.prepare(
    `INSERT INTO request_keys VALUES (?, '{}')
     ON CONFLICT (key) DO UPDATE SET key = excluded.key, answer = excluded.answer`,
  );
  const write = database.transaction((name: string, sku: string) => {
    key.get(name);
    level.get(sku);
    change.run(sku);
    movement.run(sku);
    answer.run(name);
  });
  return {
    async write(name, sku) {
      // The rest of the process has its turn, as it has with ours.
      await immediate();
      write.immediate(name, sku);
    },
    close: async () => void database.close(),
  };
};

async function turn(file: string, clients: number, way: Way, ms: number): Promise<Turn> {
  const made = await openDatabase(`file:${file}`);
  await made.transaction(prepare);
  await made.close();
  const writer = await way(file);
  const took: number[] = [];
  const until = performance.now() + ms;
  const client = async (own: number): Promise<void> => {
    for (let number = 0; performance.now() < until; number += 1) {
      const began = performance.now();
      await writer.write(`${own}-${number}`, `sku-${number % SKUS}`);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, own) => client(own)));
  await writer.close();
  return { perSecond: (took.length * 1_000) / ms, p99Ms: quantile(took, 0.99) };
}

async function prepare(trx: Transaction): Promise<void> {
  await trx.schema
    .createTable('levels', (t) => {
      t.string('sku').primary();
      t.integer('on_hand').notNullable();
    })
    .createTable('movements', (t) => {
      t.increments('id');
      t.string('sku');
    })
    .createTable('request_keys', (t) => {
      t.string('key').primary();
      t.string('answer');
    });
  for (let sku = 0; sku < SKUS; sku += 1) {
    await trx('levels').insert({ sku: `sku-${sku}`, on_hand: 0 });
  }
}

async function adjust(trx: Transaction, key: string, sku: string): Promise<void> {
  await trx('request_keys').where({ key }).first();
  await trx('levels').where({ sku }).first();
  await trx('levels').where({ sku }).increment('on_hand');
  await trx('movements').insert({ sku });
  await trx('request_keys').insert({ key, answer: '{}' }).onConflict('key').merge();
}
