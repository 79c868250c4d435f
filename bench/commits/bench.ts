import { join } from 'node:path';
import { openDatabase } from '../../chassis/index.ts';
import type { Database, Transaction } from '../../chassis/index.ts';
import { compared, median, quantile } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';

const ROUNDS = 5;
const MS = 1_500;
const SKUS = 20;
/** How many requests are under way at once. */
const CLIENTS = [1, 4, 32] as const;

interface Turn {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Measures writes as the services make them: a key, a level read and changed, a movement. */
export async function benchCommits(folder: string): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const clients of CLIENTS) results.push(...(await withClients(folder, clients)));
  return results;
}

async function withClients(folder: string, clients: number): Promise<readonly Result[]> {
  const [shared, single]: [Turn[], Turn[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const file = (kind: string): string => `file:${join(folder, `${kind}-${clients}-${round}.db`)}`;
    single.push(await turn(file('single'), clients, oneAtATime));
    shared.push(await turn(file('shared'), clients, (database) => database.transaction));
  }
  const figures = [
    ['write transactions', 'transactions/s', ({ perSecond }: Turn) => perSecond],
    ['write transactions, p99', 'ms', ({ p99Ms }: Turn) => p99Ms],
  ] as const;
  return figures.map(([what, unit, figure]) =>
    compared({
      name: `${what}, ${clients} at once`,
      unit,
      value: median(shared.map(figure)),
      rival: 'a turn of the disk for each',
      rivalValue: median(single.map(figure)),
    }),
  );
}

/** The same transactions, each of which begins when the one before it is on the disk. */
function oneAtATime(database: Database): Database['transaction'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(() => database.transaction(work));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function turn(
  url: string,
  clients: number,
  way: (database: Database) => Database['transaction'],
): Promise<Turn> {
  const database = openDatabase(url);
  await database.transaction(prepare);
  const transaction = way(database);
  const took: number[] = [];
  const until = performance.now() + MS;
  const client = async (own: number): Promise<void> => {
    for (let number = 0; performance.now() < until; number += 1) {
      const began = performance.now();
      await transaction((trx) => adjust(trx, `${own}-${number}`, `sku-${number % SKUS}`));
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, own) => client(own)));
  await database.close();
  return { perSecond: (took.length * 1_000) / MS, p99Ms: quantile(took, 0.99) };
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
