import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import {
  createExpressServer,
  createHttpClient,
  createLog,
  listen,
  LOOPBACK_ONLY,
  migrate,
  openDatabase,
} from '../../chassis/index.ts';
import type { Database, Dialect, Listening } from '../../chassis/index.ts';
import type { Statement } from '../../extracted/provider/index.ts';
import { buildProvider } from '../../extracted/provider/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import { buildMonolith } from '../../monolith/index.ts';
import type { Timing } from '../../monolith/index.ts';
import { request } from './request.ts';
import { temporaryDatabase } from './temporary-database.ts';
import type { Answer } from './request.ts';

interface ShopOptions {
  readonly timing?: Partial<Timing>;
  readonly slowMs?: number;
  /** A card processor to use instead of its own. */
  readonly providerUrl?: string;
  /** Where inventory and payment are once they have moved out; nowhere when absent. */
  readonly inventoryUrl?: string;
  readonly paymentUrl?: string;
  /** Of the monolith's database. */
  readonly dialect?: Dialect;
  /** An empty database to use instead of a temporary one; it stays. */
  readonly databaseUrl?: string;
}

/** A monolith and a card processor that listen on free ports, over databases of their own. */
export interface Shop {
  readonly database: Database;
  readonly url: string;
  readonly providerUrl: string;
  get(path: string): Promise<Answer<Body>>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<Body>>;
  stockOf(sku: string): Promise<{ onHand: number; reserved: number; available: number }>;
  /** Lets the card processor take nothing up until the returned function is called. */
  holdCards(): () => void;
  /** The card processor's books. */
  ledger(): Promise<Statement>;
  /** How many rows each of these tables of the monolith has. */
  count(...tables: string[]): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** Whatever JSON an answer holds; tests say what they expect of it. */
type Body = ReturnType<typeof JSON.parse>;

const NOWHERE = 'http://127.0.0.1:9';
const silent = createLog('test', 'silent');

async function serve(app: Parameters<typeof createExpressServer>[0]): Promise<Listening> {
  return listen(createExpressServer(app), { port: 0, host: '127.0.0.1', variable: 'PORT' });
}

async function stock(database: Database): Promise<void> {
  const products = [
    ['A', '10.00', 'USD', 100],
    ['B', '2.50', 'USD', 5],
    ['C', '1.00', 'USD', 0],
    ['E', '7.00', 'EUR', 10],
    ['FREE', '0.00', 'USD', 10],
  ] as const;
  await database.transaction(async (trx) => {
    for (const [sku, price, currency, onHand] of products) {
      await trx('CAT_PROD').insert({
        SKU_CD: sku,
        PROD_NM: `Product ${sku}`,
        PRC_AMT: price,
        CURR_CD: currency,
      });
      await trx('INV_STOCK').insert({
        SKU_CD: sku,
        QTY_OH: onHand,
        QTY_RSV: 0,
        UPD_TS: '2026-01-01 00:00:00.000',
      });
    }
    // In the catalogue, but never stocked.
    await trx('CAT_PROD').insert({
      SKU_CD: 'GHOST',
      PROD_NM: 'Never stocked',
      PRC_AMT: '1.00',
      CURR_CD: 'USD',
    });
    for (const customer of ['ALICE', 'BOB']) {
      await trx('CUS_MST').insert({ CUST_NO: customer, CUST_NM: customer, CTRY: 'NO' });
    }
  });
}

/** Opens a shop with products A (100 in stock), B (5), C (0), E (10, in EUR), customers ALICE, BOB. */
export async function openShop({
  timing = {},
  slowMs = 100,
  providerUrl: otherProvider,
  inventoryUrl = NOWHERE,
  paymentUrl = NOWHERE,
  dialect,
  databaseUrl,
}: ShopOptions = {}): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), 'fig-shop-'));
  const ledgerDatabase = await openDatabase(`file:${join(folder, 'provider.db')}`);
  await migrate(ledgerDatabase, providerMigrations);
  let held = Promise.resolve();
  const gate = express();
  gate.use(async (_req, _res, next) => {
    await held;
    next();
  });
  gate.use(buildProvider({ access: LOOPBACK_ONLY, database: ledgerDatabase, log: silent, slowMs }));
  const provider = await serve(gate);
  const providerUrl = otherProvider ?? `http://127.0.0.1:${provider.port}`;
  const database =
    databaseUrl === undefined
      ? await temporaryDatabase(monolithMigrations, dialect)
      : await openDatabase(databaseUrl);
  if (databaseUrl !== undefined) await migrate(database, monolithMigrations);
  await stock(database);
  const clients = {
    provider: createHttpClient(providerUrl),
    inventoryService: createHttpClient(inventoryUrl),
    paymentService: createHttpClient(paymentUrl),
  };
  const monolith = buildMonolith({
    access: LOOPBACK_ONLY,
    database,
    log: silent,
    ...clients,
    timing: { providerTimeoutMs: 400, ...timing },
  });
  const server = await serve(monolith.app);
  monolith.start();
  const url = `http://127.0.0.1:${server.port}`;
  const post: Shop['post'] = (path, body, headers = {}) =>
    request('POST', `${url}${path}`, {
      ...(body === undefined ? {} : { body }),
      headers,
      timeoutMs: 60_000,
    });
  const get: Shop['get'] = (path) => request('GET', `${url}${path}`);
  return {
    database,
    url,
    providerUrl,
    get,
    post,
    stockOf: async (sku) => {
      const { onHand, reserved, available } = (
        await get(`/api/inventory/${encodeURIComponent(sku)}`)
      ).body;
      return { onHand, reserved, available };
    },
    holdCards: () => {
      let release = (): void => undefined;
      held = new Promise((resolve) => (release = resolve));
      return release;
    },
    ledger: async () => (await request<Statement>('GET', `${providerUrl}/ledger`)).body,
    count: (...tables) => countRows(database, tables),
    close: async () => {
      await server.close(0);
      await monolith.stop();
      await provider.close(0);
      await Promise.all(Object.values(clients).map((client) => client.close()));
      await Promise.all([database.close(), ledgerDatabase.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function countRows(
  database: Database,
  tables: readonly string[],
): Promise<Record<string, number>> {
  const counts = tables.map(async (table) => {
    const row = (await database.read(table).count({ count: '*' }).first()) as { count: number };
    return [table, row.count] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
}
