import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import { createLog, LOOPBACK_ONLY, tokenIn } from '../../chassis/index.ts';
import { CustomerOrders, HEADERS, OrderViewPage } from '../../contracts/index.ts';
import type { Order } from '../../contracts/index.ts';
import { startEvents } from '../../monolith/index.ts';
import { projectRoot } from '../../system/index.ts';
import { eventually, request, withRedis } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { openShop } from '../support/shop.ts';
import type { Shop } from '../support/shop.ts';
import { ServiceProcess } from './service-process.ts';

const OPERATOR = 'an-operators-token-of-this-test';

interface Projection {
  readonly live: number;
  readonly building: number | null;
  readonly trouble: string | null;
}

describe('the order view', () => {
  const service = new ServiceProcess('order-view');
  let folder: string;
  let shop: Shop;
  let redisUrl: string;
  let closeRedis: () => void;
  let redisDone: Promise<void>;
  let stopEvents: () => Promise<void>;
  const file = () => join(folder, 'order-view.db');

  // Payment is the monolith's: its archive is asked twice, which changes nothing.
  const startService = () =>
    service.start({
      FIG_DATA_DIR: folder,
      FIG_TOKEN_FILE: join(folder, 'token'),
      REDIS_URL: redisUrl,
      MONOLITH_URL: shop.url,
      PAYMENT_URL: shop.url,
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fig-order-view-'));
    writeFileSync(join(folder, 'token'), OPERATOR, { mode: 0o600 });
    shop = await openShop({ timing: { shipAfterMs: 0 } });
    await new Promise<void>((started, failed) => {
      redisDone = withRedis(async ({ url }) => {
        redisUrl = url;
        started();
        await new Promise<void>((resolve) => (closeRedis = resolve));
      });
      redisDone.catch(failed);
    });
    stopEvents = await startEvents({
      database: shop.database,
      redisUrl,
      access: { ...LOOPBACK_ONLY, token: tokenIn(join(folder, 'token')) },
      log: createLog('events', 'silent'),
      resendMs: 500,
    });
    await startService();
  });

  afterAll(async () => {
    await service.end('SIGTERM');
    await stopEvents();
    closeRedis();
    await redisDone;
    await shop.close();
    await rm(folder, { recursive: true, force: true });
  });

  const place = (customerId: string, quantity = 1, paymentMethod = 'card_ok') =>
    shop.post('/api/orders', { customerId, items: [{ sku: 'A', quantity }], paymentMethod });
  const positionOf = ({ headers }: Answer): string => String(headers[HEADERS.eventPosition]);
  async function ordersOf(
    customer: string,
    query = '',
    headers: Record<string, string> = {},
  ): Promise<CustomerOrders> {
    const url = `${service.url}/api/customers/${customer}/orders${query}`;
    const { status, body } = await request('GET', url, { headers });
    expect([status, body]).toEqual([200, expect.anything()]);
    return CustomerOrders.parse(body);
  }
  const operator = { headers: { authorization: `Bearer ${OPERATOR}` } };
  const projection = async (): Promise<Projection> => {
    const { body } = await request<{ projections: Projection[] }>(
      'GET',
      `${service.url}/projections`,
      operator,
    );
    return body.projections[0] as Projection;
  };
  /** The shop's own command line. @returns what it prints */
  async function sh(...words: string[]): Promise<string> {
    const env = { ORDER_VIEW_URL: service.url, FIG_TOKEN_FILE: join(folder, 'token') };
    const command = [join(projectRoot, 'bin', 'shop'), ...words];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env });
    return stdout;
  }
  /** The view says of every order what its tables say. */
  async function isEqualToTables(): Promise<void> {
    for (const customer of ['ALICE', 'BOB']) {
      const { body } = await shop.get(`/api/orders?customerId=${customer}&limit=200`);
      const orders = body.items as Order[];
      await eventually(
        async () => {
          const seen = await ordersOf(customer, '?sort=createdAt&limit=200');
          expect(seen.items.map(({ orderId, status, total }) => [orderId, status, total])).toEqual(
            orders.map(({ id, status, total }) => [id, status, total]),
          );
          for (const { orderId, payment, shippedAt, status } of seen.items) {
            const order = orders.find(({ id }) => id === orderId);
            expect(payment?.paymentId ?? null).toBe(order?.paymentId);
            if (status === 'confirmed') expect(shippedAt).not.toBeNull();
            if (status === 'cancelled') expect(payment?.refundedAmount).toBe(order?.total.amount);
          }
        },
        { timeoutMs: 20_000 },
      );
    }
  }

  it('shows a client what it has just written', async () => {
    const placed = await place('ALICE', 2);
    const position = positionOf(placed);
    expect(position).toMatch(/^orders\/[\w-]+@0\.\d+$/);
    const patient = { [HEADERS.eventPosition]: position, prefer: 'wait=5' };
    const seen = await ordersOf('ALICE', '', patient);
    expect(seen).toMatchObject({
      behind: false,
      items: [{ orderId: placed.body.id, customerId: 'ALICE', status: 'confirmed' }],
      position: expect.stringMatching(/\borders@0\.\d+/),
    });
    await eventually(async () =>
      expect(await ordersOf('ALICE')).toMatchObject({
        items: [
          {
            payment: { status: 'captured', amount: 2_000, refundedAmount: 0 },
            shippedAt: expect.any(String),
          },
        ],
        totals: [{ currency: 'USD', orders: 1, ordered: 2_000, paid: 2_000, refunded: 0 }],
      }),
    );
  });

  it('says that it is behind what it has not heard of in time', async () => {
    const before = performance.now();
    const wanted = { [HEADERS.eventPosition]: 'orders/unheard-of@0.1' };
    expect(await ordersOf('ALICE', '', { ...wanted, prefer: 'wait=0' })).toMatchObject({
      behind: true,
      items: [{ status: 'confirmed' }],
    });
    expect((await ordersOf('ALICE', '', wanted)).behind).toBe(true);
    expect(performance.now() - before).toBeGreaterThanOrEqual(1_000);
    for (const wrong of ['17', 'orders/x', 'payments/x@1.1', 'orders/x@1.1,']) {
      const url = `${service.url}/api/customers/ALICE/orders`;
      const headers = { [HEADERS.eventPosition]: wrong };
      expect(await request('GET', url, { headers })).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    }
  });

  it('filters, sorts and pages', async () => {
    const declined = await place('BOB', 1, 'card_declined');
    expect(declined.status).toBe(402);
    const ids: string[] = [];
    for (const quantity of [3, 1, 2]) ids.push((await place('BOB', quantity)).body.id as string);
    const cancelled = await shop.post(`/api/orders/${ids[0]}/cancel`);
    const wanted = { [HEADERS.eventPosition]: positionOf(cancelled), prefer: 'wait=5' };
    await ordersOf('BOB', '', wanted);
    const idsOf = async (query: string) =>
      (await ordersOf('BOB', query)).items.map(({ orderId }) => ids.indexOf(orderId));
    await eventually(async () => {
      expect(await idsOf('')).toEqual([2, 1, 0, -1]);
      expect(await idsOf('?status=cancelled')).toEqual([0]);
      expect(await idsOf('?status=payment_declined&paymentStatus=declined')).toEqual([-1]);
      expect(await idsOf('?paymentStatus=refunded')).toEqual([0]);
      expect(await idsOf('?status=confirmed&shipped=true&sort=-total')).toEqual([2, 1]);
      expect(await idsOf('?status=confirmed&sort=total')).toEqual([1, 2]);
    });
    for (const sort of ['createdAt', '-createdAt', 'total', '-total']) {
      const whole = (await ordersOf('BOB', `?sort=${sort}`)).items;
      let cursor: string | null = '';
      const paged = [];
      while (cursor !== null) {
        const rest: string = cursor === '' ? '' : `&cursor=${cursor}`;
        const page = await ordersOf('BOB', `?sort=${sort}&limit=1${rest}`);
        paged.push(...page.items);
        cursor = page.nextCursor;
      }
      expect(paged).toEqual(whole);
      expect(paged).toHaveLength(4);
    }
    const { body } = await request('GET', `${service.url}/api/order-view?limit=200`);
    expect(OrderViewPage.parse(body).items).toHaveLength(5);
    const wrong = await request(
      'GET',
      `${service.url}/api/customers/BOB/orders?sort=name&cursor=x`,
    );
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it('misses nothing and counts nothing twice where it is killed', async () => {
    const placing = Promise.all(
      Array.from({ length: 8 }, (_each, index) => place(index % 2 ? 'ALICE' : 'BOB')),
    );
    await service.end('SIGKILL');
    await placing;
    await startService();
    const { body } = await place('ALICE');
    await service.end('SIGKILL');
    await shop.post(`/api/orders/${body.id}/cancel`);
    await startService();
    await isEqualToTables();
  });

  it('is built anew beside the one that is shown, for operators', async () => {
    const { live } = await projection();
    expect((await request('POST', `${service.url}/projections/orders/rebuild`)).status).toBe(401);
    expect(
      (await request('POST', `${service.url}/projections/others/rebuild`, operator)).status,
    ).toBe(404);
    const broken = new Database(file());
    broken.exec("UPDATE order_rows SET status = 'rejected', total = 1");
    broken.close();
    const begun = await request('POST', `${service.url}/projections/orders/rebuild`, operator);
    expect(begun).toMatchObject({ status: 202, body: { outcome: 'begun' } });
    // What happens meanwhile is in both.
    await place('BOB');
    await eventually(async () =>
      expect(await projection()).toMatchObject({ live: live + 1, building: null, trouble: null }),
    );
    await isEqualToTables();
  });

  it('is listed and built by the shop command', async () => {
    const { live } = await projection();
    const { projections } = JSON.parse(await sh('projections', 'list', '--json')) as {
      projections: unknown[];
    };
    expect(projections).toMatchObject([{ name: 'orders', live, building: null, progress: null }]);
    expect(await sh('projections', 'rebuild', 'orders')).toBe(
      `orders: generation ${live + 1} is shown\n`,
    );
    await expect(sh('projections', 'rebuild', 'others')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('next: shop projections list'),
    });
    await isEqualToTables();
  });

  it('starts from the archive where it knows nothing', async () => {
    await service.end('SIGTERM');
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file()}${suffix}`, { force: true });
    await startService();
    await eventually(async () =>
      expect(await projection()).toMatchObject({ live: 1, building: null }),
    );
    await isEqualToTables();
  });

  it('keeps what it has where the archive is no longer complete', async () => {
    await shop.database.transaction((trx) =>
      trx('event_outbox')
        .where('sequence', trx('event_outbox').min('sequence'))
        .update({ type: 'forgotten', event: '' }),
    );
    await request('POST', `${service.url}/projections/orders/rebuild`, operator);
    await eventually(async () =>
      expect(await projection()).toMatchObject({
        live: 1,
        building: null,
        trouble: expect.stringContaining('not complete'),
      }),
    );
    await isEqualToTables();
  });
});
