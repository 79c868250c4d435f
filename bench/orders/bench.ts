import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { migrate, openDatabase } from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { startPostgres } from '../../system/index.ts';
import type { PrivatePostgres } from '../../system/index.ts';
import { alone, compared, inTurns, quantile, readable, startNode } from '../harness/index.ts';
import type { BenchContext, Beside, Child, Result } from '../harness/index.ts';
import { startLateProxy } from './late-proxy.ts';

export interface OrdersOptions {
  readonly rounds: number;
  /** How long a turn is. */
  readonly ms: number;
  /** How late what a monolith sends reaches its database. */
  readonly lateMs: number;
}

/** So few that four monoliths and their database do not need more than two cores: locks are to limit, not processors. */
const CLIENTS_EACH = 4;
/** Few enough that orders meet, and enough that not all wait for one row. */
const SKUS = 50;
const REPLICAS = [1, 2, 4] as const;

const compiled = (path: string): string =>
  fileURLToPath(new URL(`../../${path}`, import.meta.url)).replace(/\.ts$/, '.js');
const OURS = compiled('monolith/main.js');
const ONE_LOCK = compiled('bench/orders/one-lock.js');

interface Turn {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly failed: number;
}

interface Setup {
  readonly program: string;
  readonly replicas: number;
  readonly late: boolean;
}

/**
 * Measures how many orders monoliths on one PostgreSQL place a second: reserve, charge at a card processor in a process
 * of its own, commit, confirm. Late statements make a transaction long without using a processor, so that
 * what limits is how transactions wait for each other.
 */
export async function benchOrders(
  context: BenchContext<OrdersOptions>,
): Promise<readonly Result[]> {
  const { options, rivals, signal, say } = context;
  const postgres = await startPostgres({ durable: true });
  const lane = (name: string, setup: Setup) => ({
    name,
    run: (round: number) => turn(context, postgres, setup, `${name}-${round}`),
  });
  try {
    const lanes = [
      ...REPLICAS.map((replicas) =>
        lane(`ours-${replicas}`, { program: OURS, replicas, late: true }),
      ),
      lane('ours-at-once', { program: OURS, replicas: 1, late: false }),
      ...(rivals
        ? [
            ...REPLICAS.map((replicas) =>
              lane(`lock-${replicas}`, { program: ONE_LOCK, replicas, late: true }),
            ),
            lane('lock-at-once', { program: ONE_LOCK, replicas: 1, late: false }),
          ]
        : []),
    ];
    const show = ({ perSecond, p99Ms }: Turn): string =>
      `${readable(perSecond)} orders/s, p99 ${readable(p99Ms)} ms`;
    const rounds = await inTurns(lanes, { rounds: options.rounds, signal, say, show });
    const perSecond = (of: Turn): number => of.perSecond;
    const p99 = (of: Turn): number => of.p99Ms;
    /** A rival that has placed no order at all is nothing to divide by. */
    const beside = (name: string, rival: string, figure: (of: Turn) => number): Beside => {
      const pair = rounds.beside(name, rival, figure);
      return pair.rivalValue === 0 ? { value: pair.value } : pair;
    };
    const late = `${options.lateMs} ms to the database`;
    const lock = 'one lock';
    return [
      compared({
        name: `orders, 2 replicas, ${late}`,
        unit: 'orders/s',
        rival: '1 replica',
        ...beside('ours-2', 'ours-1', perSecond),
        goal: { atLeast: 1.6 },
      }),
      compared({
        name: `orders, 4 replicas, ${late}`,
        unit: 'orders/s',
        rival: '1 replica',
        ...beside('ours-4', 'ours-1', perSecond),
        goal: { atLeast: 2.5 },
      }),
      ...REPLICAS.flatMap((replicas) => [
        compared({
          name: `orders, ${replicas} of each, ${late}`,
          unit: 'orders/s',
          rival: lock,
          ...beside(`ours-${replicas}`, `lock-${replicas}`, perSecond),
        }),
        compared({
          name: `orders, p99, ${replicas} of each, ${late}`,
          unit: 'ms',
          rival: lock,
          ...beside(`ours-${replicas}`, `lock-${replicas}`, p99),
        }),
      ]),
      compared({
        name: 'orders, 1 of each, nothing late',
        unit: 'orders/s',
        rival: lock,
        ...beside('ours-at-once', 'lock-at-once', perSecond),
        goal: { atLeast: 8 },
      }),
      compared({
        name: 'orders, p99, 1 of each, nothing late',
        unit: 'ms',
        rival: lock,
        ...beside('ours-at-once', 'lock-at-once', p99),
      }),
      alone({
        name: 'orders that failed',
        unit: 'orders',
        value: lanes
          .filter(({ name }) => name.startsWith('ours'))
          .flatMap(({ name }) => rounds.all(name))
          .reduce((sum, { failed }) => sum + failed, 0),
        atMost: 0,
      }),
    ];
  } finally {
    await postgres.stop();
  }
}

async function turn(
  { folder, options }: BenchContext<OrdersOptions>,
  postgres: PrivatePostgres,
  { program, replicas, late }: Setup,
  name: string,
): Promise<Turn> {
  const database = await postgres.createDatabase();
  await stock(database.url);
  const url = new URL(database.url);
  const proxy = late ? await startLateProxy(Number(url.port), options.lateMs) : undefined;
  if (proxy) url.port = String(proxy.port);
  const children: Child[] = [];
  const start = async (file: string, env: Record<string, string>): Promise<string> => {
    const child = await startNode(file, { env: { ...env, FIG_DATA_DIR: join(folder, name) } });
    children.push(child);
    return `http://127.0.0.1:${child.ports['http']}`;
  };
  try {
    const provider = await start(compiled('extracted/provider/main.js'), {
      PROVIDER_PORT: '0',
      PROVIDER_DATABASE_URL: `file:${join(folder, `${name}.db`)}`,
    });
    const env = {
      MONOLITH_PORT: '0',
      MONOLITH_DATABASE_URL: url.href,
      PROVIDER_URL: provider,
      PROVIDER_TIMEOUT_MS: '10000',
      REDIS_URL: '',
    };
    const shops = await Promise.all(Array.from({ length: replicas }, () => start(program, env)));
    return await order(shops, options.ms);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await proxy?.close();
    await database.drop();
  }
}

async function stock(url: string): Promise<void> {
  const database = await openDatabase(url);
  await migrate(database, monolithMigrations);
  const skus = Array.from({ length: SKUS }, (_, index) => `SKU-${index}`);
  await database.transaction(async (trx) => {
    await trx('CUS_MST').insert({ CUST_NO: 'C', CUST_NM: 'Customer', CTRY: 'NO' });
    for (const sku of skus) {
      await trx('CAT_PROD').insert({
        SKU_CD: sku,
        PROD_NM: sku,
        PRC_AMT: '1.00',
        CURR_CD: 'USD',
      });
      await trx('INV_STOCK').insert({
        SKU_CD: sku,
        QTY_OH: 1_000_000,
        QTY_RSV: 0,
        UPD_TS: '2026-01-01 00:00:00.000',
      });
    }
  });
  await database.close();
}

/** Clients that each wait for their answer, spread over the monoliths. The first quarter is not counted. */
async function order(shops: readonly string[], ms: number): Promise<Turn> {
  const agent = new Agent({ connections: CLIENTS_EACH });
  const began = performance.now();
  const counted = began + ms / 4;
  const until = began + ms;
  const took: number[] = [];
  let failed = 0;
  const client = async (own: number): Promise<void> => {
    for (let number = 0; performance.now() < until; number += 1) {
      const sentAt = performance.now();
      const answer = await request(`${shops[own % shops.length]}/api/orders`, {
        method: 'POST',
        dispatcher: agent,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          customerId: 'C',
          items: [{ sku: `SKU-${(own * 7 + number) % SKUS}`, quantity: 1 }],
          paymentMethod: 'card_ok',
        }),
      });
      await answer.body.dump();
      if (answer.statusCode !== 201) failed += 1;
      else if (sentAt >= counted && performance.now() <= until) {
        took.push(performance.now() - sentAt);
      }
    }
  };
  const clients = Array.from({ length: CLIENTS_EACH * shops.length }, (_, own) => client(own));
  await Promise.all(clients);
  await agent.close();
  const perSecond = (took.length * 1_000) / (until - counted);
  // Where none was placed, each took longer than the turn.
  const p99Ms = took.length === 0 ? ms : quantile(took, 0.99);
  return { perSecond, p99Ms, failed };
}
