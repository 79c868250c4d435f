import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createExpressServer,
  createLog,
  listen,
  LOOPBACK_ONLY,
  migrate,
  openDatabase,
} from '../../chassis/index.ts';
import type { Database, Listening } from '../../chassis/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
  paymentKeys,
} from '../../extracted/payment/index.ts';
import { buildProvider } from '../../extracted/provider/index.ts';
import type { Statement } from '../../extracted/provider/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import {
  built,
  eventually,
  inSoak,
  request,
  setFence,
  temporaryDatabase,
  withTempDir,
} from '../support/index.ts';
import type { Answer } from '../support/index.ts';

type Stage = 'legacy' | 'moved';

/**
 * Every step that an order takes, forward and backward, in the order in which it does: none can be forgotten, since the
 * whole list is compared with what an order goes through that is not killed.
 */
const JOURNEYS = {
  placed: ['place: reserve', 'place: charge', 'place: commit'],
  'without stock': ['place: reserve'],
  declined: ['place: reserve', 'place: charge', 'place: undo reserve'],
  'released past it': [
    'place: reserve',
    'place: charge',
    'place: commit',
    'place: undo charge',
    'place: undo reserve',
  ],
  cancelled: ['cancel: release', 'cancel: refund'],
} as const;
type Journey = keyof typeof JOURNEYS;

const pointsOf = (journey: Journey): string[] =>
  JOURNEYS[journey].flatMap((step) => [`${step}, before`, `${step}, after`]);

/** Whether the keys of the steps are there when the order goes on, or were deleted as after a day. */
type Keys = 'kept' | 'purged';
type Kill = readonly [Journey, string, Keys];

/** Where a monolith is killed; `npm test` has one point of each stage. */
const KILLS = inSoak<readonly Kill[]>(
  (Object.keys(JOURNEYS) as Journey[]).flatMap((journey) =>
    pointsOf(journey).flatMap((point): Kill[] => {
      const kept = [journey, point, 'kept'] as const;
      return point.endsWith('after') ? [kept, [journey, point, 'purged']] : [kept];
    }),
  ),
  [['placed', 'place: charge, after', 'purged']],
);

const STOCK = 1_000;
const PRICE = 1_000;
const RELEASED_BEFORE = 'place: commit, before';

/** What the client of each journey is told in the end, and what the order is then. */
const ENDS: Readonly<Record<Journey, { status: number; order: string }>> = {
  placed: { status: 201, order: 'confirmed' },
  'without stock': { status: 409, order: 'rejected' },
  declined: { status: 402, order: 'payment_declined' },
  'released past it': { status: 409, order: 'rejected' },
  cancelled: { status: 200, order: 'cancelled' },
};

type Body = { id?: string; status?: string };

describe.each<Stage>(['legacy', 'moved'])('in stage %s, an order', (stage) => {
  const closes: (() => Promise<unknown>)[] = [];
  let monolith: Database;
  let inventory: Database;
  let payment: Database;
  let env: Record<string, string>;
  let providerUrl: string;
  let sold = 0;

  const log = createLog('test', 'silent');
  const serve = async (app: Parameters<typeof createExpressServer>[0]): Promise<string> => {
    const place = { port: 0, host: '127.0.0.1', variable: 'PORT' };
    const listening: Listening = await listen(createExpressServer(app), place);
    closes.push(() => listening.close(0));
    return `http://127.0.0.1:${listening.port}`;
  };
  const open = async (...parts: Parameters<typeof temporaryDatabase>): Promise<Database> => {
    const database = await temporaryDatabase(...parts);
    closes.unshift(() => database.close());
    return database;
  };
  const books = async () => (await request<Statement>('GET', `${providerUrl}/ledger`)).body;

  beforeAll(
    () =>
      new Promise<void>((ready, failed) => {
        // The folder stays until all orders were placed.
        withTempDir(async (folder) => {
          const over = new Promise<void>((resolve) => closes.push(async () => resolve()));
          await prepare(folder);
          ready();
          await over;
        }).catch(failed);
      }),
  );

  async function prepare(folder: string): Promise<void> {
    monolith = await openDatabase(`file:${join(folder, 'monolith.db')}`);
    closes.unshift(() => monolith.close());
    await migrate(monolith, monolithMigrations);
    const ledger = await open(providerMigrations);
    providerUrl = await serve(
      buildProvider({ access: LOOPBACK_ONLY, database: ledger, log, slowMs: 1 }),
    );
    inventory = await open(inventoryMigrations);
    payment = await open(paymentMigrations);
    const scope = { database: payment, guard: paymentGuard, keys: paymentKeys, now: Date.now };
    const provider = createProvider({ url: providerUrl, timeoutMs: 2_000 });
    env = {
      FIG_DATA_DIR: folder,
      PROVIDER_URL: providerUrl,
      INVENTORY_URL: await serve(
        buildInventory({ access: LOOPBACK_ONLY, database: inventory, log }),
      ),
      PAYMENT_URL: await serve(buildPayment({ access: LOOPBACK_ONLY, scope, provider, log })),
    };
    await stock();
    for (const [capability, service] of [
      ['inventory', inventory],
      ['payment', payment],
    ] as const) {
      const isMoved = stage === 'moved';
      await setFence(monolith, capability, isMoved ? 'ceded' : 'open', isMoved ? 2 : 1);
      await setFence(service, capability, isMoved ? 'open' : 'closed', isMoved ? 2 : 0);
    }
  }

  async function stock(): Promise<void> {
    await monolith.transaction(async (trx) => {
      const product = { SKU_CD: 'A', PROD_NM: 'A', PRC_AMT: '10.00', CURR_CD: 'USD' };
      await trx('CAT_PROD').insert(product);
      await trx('CUS_MST').insert({ CUST_NO: 'ALICE', CUST_NM: 'Alice', CTRY: 'NO' });
      const level = { SKU_CD: 'A', QTY_OH: STOCK, QTY_RSV: 0, UPD_TS: '2026-01-01 00:00:00.000' };
      await trx('INV_STOCK').insert(level);
    });
    await inventory.transaction(async (trx) => {
      await trx('stock_levels').insert({ sku: 'A', on_hand: STOCK, updated_at: 0 });
      await trx('stock_holds').insert({ sku: 'A', reserved: 0 });
    });
  }

  const children = new Set<ChildProcess>();

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
  });

  afterAll(async () => {
    for (const close of closes) await close();
  });

  /** A monolith that stops before and after every step until its parent lets it go on. */
  async function start(onPoint: (point: string) => Promise<boolean>) {
    const child = fork(built(new URL('stepwise-monolith.ts', import.meta.url)), [], {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { PATH: process.env['PATH'], LOG_LEVEL: 'fatal', ...env },
    });
    children.add(child);
    const gone = once(child, 'exit');
    const listening = new Promise<string>((resolve, reject) => {
      child.on('message', ({ ports, point }: { ports?: { http: number }; point?: string }) => {
        if (ports) resolve(`http://127.0.0.1:${ports.http}`);
        if (point === undefined) return;
        onPoint(point).then(
          (goesOn) => (goesOn ? child.send('go on') : child.kill('SIGKILL')),
          (error: unknown) => {
            child.kill('SIGKILL');
            reject(error);
          },
        );
      });
    });
    return { url: await listening, gone, stop: () => child.kill('SIGTERM') };
  }

  async function release(): Promise<void> {
    const isMoved = stage === 'moved';
    const id = isMoved
      ? (await inventory.read('reservations').where({ status: 'active' }).first('id'))?.id
      : (await monolith.read('INV_RSV').where({ STAT_CD: 'A' }).first('RSV_NO'))?.RSV_NO;
    // It may have been released before the monolith was killed.
    if (id === undefined) return;
    const at = isMoved ? env['INVENTORY_URL'] : lastUrl;
    const path = `/api/inventory/reservations/${String(id)}/release`;
    expect((await request('POST', `${at}${path}`)).status).toBe(200);
  }

  let lastUrl = '';

  async function stockNow(): Promise<unknown> {
    if (stage === 'legacy') {
      const row = await monolith.read('INV_STOCK').where({ SKU_CD: 'A' }).first();
      return [row.QTY_OH, row.QTY_RSV];
    }
    const level = await inventory.read('stock_levels').where({ sku: 'A' }).first();
    const hold = await inventory.read('stock_holds').where({ sku: 'A' }).first();
    return [level.on_hand, hold.reserved];
  }

  /** Lets an order go its way, and kills the monolith at a point of it. @returns all points that it came by */
  async function travel(
    journey: Journey,
    killAt: string | null,
    keys: Keys = 'kept',
  ): Promise<string[]> {
    const points: string[] = [];
    let isKilled = false;
    const onPoint = async (point: string): Promise<boolean> => {
      points.push(point);
      if (journey === 'released past it' && point === RELEASED_BEFORE) await release();
      if (point !== killAt || isKilled) return true;
      isKilled = true;
      return false;
    };
    let process = await start(onPoint);
    lastUrl = process.url;
    const key = { 'idempotency-key': randomUUID() };
    const post = (path: string, body?: unknown): Promise<Answer<Body>> =>
      request<Body>('POST', lastUrl + path, { headers: key, timeoutMs: 15_000, body });
    const order = {
      customerId: 'ALICE',
      items: [{ sku: 'A', quantity: journey === 'without stock' ? STOCK + 1 : 1 }],
      paymentMethod: journey === 'declined' ? 'card_declined' : 'card_ok',
    };
    let path = '/api/orders';
    if (journey === 'cancelled') {
      const placed = await request<Body>('POST', lastUrl + path, { body: order });
      path = `/api/orders/${String(placed.body.id)}/cancel`;
      points.length = 0;
    }
    const ask = () => post(path, journey === 'cancelled' ? undefined : order);
    const first = await ask().catch(() => undefined);
    if (killAt !== null) {
      await process.gone;
      expect(first).toBeUndefined();
      if (keys === 'purged') await purge();
      process = await start(onPoint);
      lastUrl = process.url;
      // It goes on by itself: no one has asked.
      await eventually(
        async () => {
          const sagas = monolith.read('ORD_SAGA').whereIn('STAT_CD', ['F', 'B']);
          expect(await sagas.select('SAGA_ID', 'STEP_NO', 'FAIL_CNT')).toEqual([]);
        },
        { timeoutMs: 15_000 },
      );
    }
    const answer = await ask();
    const { status, order: end } = ENDS[journey];
    expect(answer.status).toBe(status);
    const newest = await monolith.read('ORD_HDR').orderBy('ORD_NO', 'desc').first('ORD_NO');
    const id = String(newest?.ORD_NO);
    const shown = await request<Body>('GET', `${lastUrl}/api/orders/${id}`);
    expect(shown.body.status).toBe(end);
    process.stop();
    await process.gone;
    await judge(id, journey);
    return points;
  }

  async function purge(): Promise<void> {
    await monolith.transaction(async (trx) => {
      await trx('INV_IDEM').delete();
      await trx('PAY_IDEM').delete();
    });
    for (const service of [inventory, payment]) {
      await service.transaction((trx) => trx('request_keys').delete());
    }
  }

  /** Whether goods and money are where they belong, of this order and of all. */
  async function judge(orderId: string, journey: Journey): Promise<void> {
    if (journey === 'placed') sold += 1;
    expect(await stockNow()).toEqual([STOCK - sold, 0]);
    const { charges, refunds } = await books();
    const sum = (list: readonly { readonly amount: number }[]): number =>
      list.reduce((total, { amount }) => total + amount, 0);
    const captured = charges.filter((charge) => charge.status === 'captured');
    expect(sum(captured) - sum(refunds)).toBe(sold * PRICE);
    // An order has one charge, or none where there were no goods for it.
    const own = charges.filter(({ reference }) => reference === orderId);
    expect(own).toHaveLength(journey === 'without stock' ? 0 : 1);
    const ids = refunds.map(({ paymentId }) => paymentId);
    expect(new Set(ids).size).toBe(ids.length);
  }

  it.each(inSoak<Journey[]>(Object.keys(JOURNEYS) as Journey[], ['released past it']))(
    'that is %s comes by every point of the list, and no other',
    async (journey) => expect(await travel(journey, null)).toEqual(pointsOf(journey)),
    30_000,
  );

  it.each(KILLS)(
    'that is %s ends as it should when its monolith is killed at "%s" (keys %s)',
    async (journey, point, keys) => {
      const points = await travel(journey, point, keys);
      // What has no result yet is done again; what has one is not.
      expect(points.filter((each) => each === point)).toHaveLength(2);
    },
    60_000,
  );
});
