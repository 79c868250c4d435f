import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import {
  createExpressServer,
  createHttpClient,
  createLog,
  listen,
  LOOPBACK_ONLY,
  migrate,
  openDatabase,
  setFence,
} from '../chassis/index.ts';
import type { Database, Migration } from '../chassis/index.ts';
import { WORLD } from '../contracts/cases/index.ts';
import type { Target } from '../contracts/cases/index.ts';
import { buildApp as buildInventory } from '../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
  paymentKeys,
} from '../extracted/payment/index.ts';
import { buildProvider } from '../extracted/provider/index.ts';
import { inventoryMigrations } from '../migrations/inventory/index.ts';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { paymentMigrations } from '../migrations/payment/index.ts';
import { providerMigrations } from '../migrations/provider/index.ts';
import { buildMonolith } from '../monolith/index.ts';
import type { Resources } from './resources.ts';

const log = createLog('contract', 'silent');
/** Short, so that both slow cards take the way round by a look-up at the provider. */
export const PROVIDER_TIMES = { timeoutMs: 150, slowMs: 400 } as const;

/** Makes a target that holds the cases' world; its resources are closed by the caller. */
export type MakeTarget = (resources: Resources) => Promise<Target>;

/** A database with this schema, in a folder that goes with it. */
async function openWith(resources: Resources, migrations: readonly Migration[]): Promise<Database> {
  const folder = resources.keep(await mkdtemp(join(tmpdir(), 'fig-contract-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const database = resources.keep(
    await openDatabase(`file:${join(folder, 'contract.db')}`),
    (opened) => opened.close(),
  );
  await migrate(database, migrations);
  return database;
}

/** Serves an app on a free port; gives its base URL. */
export async function serve(resources: Resources, app: Express): Promise<string> {
  const options = { port: 0, host: '127.0.0.1', variable: 'PORT' };
  const listening = await listen(createExpressServer(app), options);
  resources.keep(listening, (server) => server.close(0));
  return `http://127.0.0.1:${listening.port}`;
}

async function startProvider(resources: Resources): Promise<string> {
  const database = await openWith(resources, providerMigrations);
  return serve(
    resources,
    buildProvider({ access: LOOPBACK_ONLY, database, log, slowMs: PROVIDER_TIMES.slowMs }),
  );
}

function decimal(minor: number): string {
  return (minor / 100).toFixed(2);
}

async function loadMonolith(database: Database): Promise<void> {
  await database.transaction(async (trx) => {
    for (const { sku, name, unitPrice, onHand } of WORLD.products) {
      const { amount, currency } = unitPrice;
      await trx('CAT_PROD').insert({
        SKU_CD: sku,
        PROD_NM: name,
        PRC_AMT: decimal(amount),
        CURR_CD: currency,
      });
      const updated = '2026-01-01 00:00:00.000';
      await trx('INV_STOCK').insert({ SKU_CD: sku, QTY_OH: onHand, QTY_RSV: 0, UPD_TS: updated });
    }
    for (const { id, name, country } of WORLD.customers) {
      await trx('CUS_MST').insert({ CUST_NO: id, CUST_NM: name, CTRY: country });
    }
  });
}

/** A target, and the database behind it. */
export interface Opened {
  readonly target: Target;
  readonly database: Database;
}

/** The monolith as it is before anything has moved. */
export async function openMonolith(resources: Resources): Promise<Opened> {
  const client = (url: string) => resources.keep(createHttpClient(url), (opened) => opened.close());
  const database = await openWith(resources, monolithMigrations);
  await loadMonolith(database);
  const nowhere = 'http://127.0.0.1:9';
  const monolith = buildMonolith({
    access: LOOPBACK_ONLY,
    database,
    log,
    provider: client(await startProvider(resources)),
    inventoryService: client(nowhere),
    paymentService: client(nowhere),
    timing: { providerTimeoutMs: PROVIDER_TIMES.timeoutMs },
  });
  resources.keep(monolith, (started) => started.stop());
  const baseUrl = await serve(resources, monolith.app);
  monolith.start();
  const areas = ['catalogue', 'inventory', 'payment', 'orders'] as const;
  return { target: { name: 'monolith', baseUrl, areas }, database };
}

/** The inventory service alone, owning its data. */
export async function openInventory(resources: Resources): Promise<Opened> {
  const database = await openWith(resources, inventoryMigrations);
  await setFence(database, 'inventory', 'open');
  await database.transaction(async (trx) => {
    for (const { sku, onHand } of WORLD.products) {
      await trx('stock_levels').insert({ sku, on_hand: onHand, updated_at: 0 });
      await trx('stock_holds').insert({ sku, reserved: 0 });
    }
  });
  const baseUrl = await serve(resources, buildInventory({ access: LOOPBACK_ONLY, database, log }));
  return { target: { name: 'inventory service', baseUrl, areas: ['inventory'] }, database };
}

/** The payment service alone, owning its data. */
export async function openPayment(resources: Resources): Promise<Opened> {
  const database = await openWith(resources, paymentMigrations);
  await setFence(database, 'payment', 'open');
  const url = await startProvider(resources);
  const provider = resources.keep(
    createProvider({ url, timeoutMs: PROVIDER_TIMES.timeoutMs }),
    (opened) => opened.close(),
  );
  const scope = { database, guard: paymentGuard, keys: paymentKeys, now: Date.now };
  const baseUrl = await serve(
    resources,
    buildPayment({ access: LOOPBACK_ONLY, scope, provider, log }),
  );
  return { target: { name: 'payment service', baseUrl, areas: ['payment'] }, database };
}

const targetOf =
  (open: (resources: Resources) => Promise<Opened>): MakeTarget =>
  async (resources) =>
    (await open(resources)).target;

export const monolithTarget = targetOf(openMonolith);
export const inventoryTarget = targetOf(openInventory);
export const paymentTarget = targetOf(openPayment);

/** For each capability, who answers for it today and who is to tomorrow. */
export const SIDES = {
  inventory: { old: monolithTarget, new: inventoryTarget },
  payment: { old: monolithTarget, new: paymentTarget },
} as const satisfies Record<string, { old: MakeTarget; new: MakeTarget }>;

export type Capability = keyof typeof SIDES;
