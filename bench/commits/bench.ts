import { join } from 'node:path';
import { openDatabase } from '../../chassis/index.ts';
import type { Database, Transaction } from '../../chassis/index.ts';
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
      turn(`file:${join(folder, `${name}-${clients}-${round}.db`)}`, clients, way, options.ms),
  });
  const lanes = [
    lane('ours', (database) => database.transaction),
    ...(rivals ? [lane('single', oneAtATime)] : []),
  ];
  const show = ({ perSecond }: Turn): string => `${readable(perSecond)} transactions/s`;
  const rounds = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
  const rival = 'a turn of the disk for each';
  return [
    compared({
      name: `write transactions, ${clients} at once`,
      unit: 'transactions/s',
      rival,
      ...rounds.beside('ours', 'single', ({ perSecond }) => perSecond),
      // Where a turn of the disk costs nothing there is nothing to share, and nothing to lose.
      goal: { atLeast: 0.9 },
    }),
    compared({
      name: `write transactions, p99, ${clients} at once`,
      unit: 'ms',
      rival,
      ...rounds.beside('ours', 'single', ({ p99Ms }) => p99Ms),
    }),
  ];
}

type Way = (database: Database) => Database['transaction'];

/** The same transactions, each of which begins when the one before it is on the disk. */
function oneAtATime(database: Database): Database['transaction'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(() => database.transaction(work));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function turn(url: string, clients: number, way: Way, ms: number): Promise<Turn> {
  const database = await openDatabase(url);
  await database.transaction(prepare);
  const transaction = way(database);
  const took: number[] = [];
  const until = performance.now() + ms;
  const client = async (own: number): Promise<void> => {
    for (let number = 0; performance.now() < until; number += 1) {
      const began = performance.now();
      await transaction((trx) => adjust(trx, `${own}-${number}`, `sku-${number % SKUS}`));
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, own) => client(own)));
  await database.close();
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
