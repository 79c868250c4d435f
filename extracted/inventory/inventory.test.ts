import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { createExpressServer, createLog, LOOPBACK_ONLY } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { dialectsOfRun, setFence, temporaryDatabase } from '../../tests/support/index.ts';
import { buildApp } from './app.ts';

let database: Database;
let server: Server;

describe.each(dialectsOfRun)('on %s', (dialect) => {
  beforeEach(async () => {
    database = await temporaryDatabase(inventoryMigrations, dialect);
    await setFence(database, 'inventory', 'open');
    await database.transaction(async (trx) => {
      for (const [sku, count] of Object.entries({ A: 10, B: 5, C: 0 })) {
        await trx('stock_levels').insert({ sku, on_hand: count, updated_at: 0 });
        await trx('stock_holds').insert({ sku, reserved: 0 });
      }
    });
    server = createExpressServer(
      buildApp({ access: LOOPBACK_ONLY, database, log: createLog('inventory', 'silent') }),
    );
  });

  afterEach(async () => {
    await database.close();
  });

  const reserve = (orderId: string, lines: Record<string, number>, key?: string) => {
    const items = Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity }));
    const call = request(server).post('/api/inventory/reservations');
    return (key === undefined ? call : call.set('idempotency-key', key)).send({ orderId, items });
  };
  const act = (id: string, verb: string) =>
    request(server).post(`/api/inventory/reservations/${id}/${verb}`);
  const levelOf = async (sku: string) => {
    const { body } = await request(server).get(`/api/inventory/${sku}`);
    return [body.onHand, body.reserved, body.available] as unknown;
  };

  const adjust = (sku: string, delta: number) =>
    request(server).post(`/api/inventory/${sku}/adjustments`).send({ delta, reason: 'count' });
  const list = (query: string) => request(server).get(`/api/inventory?${query}`);

  async function rowCounts(): Promise<Record<string, number>> {
    const tables = ['reservations', 'reservation_items', 'stock_adjustments', 'request_keys'];
    const counts = await Promise.all(
      tables.map(async (table) => {
        const rows = await database.read(table).count({ count: '*' });
        return [table, Number(rows[0]?.['count'])] as const;
      }),
    );
    return Object.fromEntries(counts);
  }

  describe('reservations', () => {
    it('reserves all lines, commits them once and takes them back', async () => {
      const { status, body } = await reserve('o-1', { B: 2, A: 3 });
      expect(status).toBe(201);
      expect(body).toMatchObject({ orderId: 'o-1', status: 'active' });
      expect(body.items).toEqual([
        { sku: 'A', quantity: 3 },
        { sku: 'B', quantity: 2 },
      ]);
      expect(await levelOf('A')).toEqual([10, 3, 7]);
      for (const _again of [1, 2]) {
        const committed = await act(body.id, 'commit').expect(200);
        expect(committed.body).toEqual({ ...body, status: 'committed' });
        expect(await levelOf('A')).toEqual([7, 0, 7]);
      }
      for (const _again of [1, 2]) {
        const released = await act(body.id, 'release').expect(200);
        expect(released.body).toEqual({ ...body, status: 'released' });
        expect(await levelOf('A')).toEqual([10, 0, 10]);
      }
      const refused = await act(body.id, 'commit').expect(409);
      expect(refused.body.code).toBe('reservation_released');
    });

    it('reserves nothing when one line falls short, and names the SKUs', async () => {
      const { status, body } = await reserve('o-1', { C: 1, A: 10, B: 6 });
      expect([status, body.code, body.skus]).toEqual([409, 'out_of_stock', ['B', 'C']]);
      expect(await levelOf('A')).toEqual([10, 0, 10]);
    });

    it('refuses a second reservation of an order', async () => {
      const first = await reserve('o-1', { A: 1 }).expect(201);
      const second = await reserve('o-1', { A: 1 }).expect(409);
      expect(second.body).toMatchObject({ code: 'already_reserved', reservationId: first.body.id });
    });

    it('never promises more than there is to many at once', async () => {
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => reserve(`o-${index}`, { A: 1 })),
      );
      const statuses = answers.map(({ status }) => status).sort((left, right) => left - right);
      expect(statuses).toEqual([...Array(10).fill(201), ...Array(20).fill(409)]);
      expect(await levelOf('A')).toEqual([10, 10, 0]);
    });

    it('gives 50 identical requests with one key one reservation', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => reserve('o-1', { A: 1 }, 'k-1')),
      );
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
      expect(answers.filter(({ headers }) => headers['idempotent-replayed'])).toHaveLength(49);
      expect(await levelOf('A')).toEqual([10, 1, 9]);
      await reserve('o-1', { A: 2 }, 'k-1').expect(422);
    });

    it('replays a refusal with a trace of its own', async () => {
      const first = await reserve('o-1', { C: 1 }, 'k-1').expect(409);
      const { traceId: _first, ...facts } = first.body as Record<string, unknown>;
      await request(server)
        .post('/api/inventory/C/adjustments')
        .send({ delta: 5, reason: 'found' })
        .expect(201);
      const second = await reserve('o-1', { C: 1 }, 'k-1').expect(409);
      const { traceId, ...again } = second.body as Record<string, unknown>;
      expect(again).toEqual(facts);
      expect(second.headers['traceparent']).toContain(traceId);
      expect(second.headers['idempotent-replayed']).toBe('true');
    });
  });

  describe('adjustments', () => {
    it('answers the stock right after, and never goes below what is reserved', async () => {
      await reserve('o-1', { A: 4 }).expect(201);
      const { body } = await adjust('A', -6).expect(201);
      expect(body.stock).toEqual({ sku: 'A', onHand: 4, reserved: 4, available: 0 });
      const refused = await adjust('A', -1).expect(409);
      expect(refused.body.code).toBe('insufficient_stock');
      expect(await levelOf('A')).toEqual([4, 4, 0]);
    });

    it('does not know a SKU without stock', async () => {
      const { body } = await adjust('Z', 1).expect(404);
      expect(body.code).toBe('not_found');
    });
  });

  describe('the fence', () => {
    it.each(['closed', 'ceded'] as const)('refuses every write while %s', async (state) => {
      const { body } = await reserve('o-1', { A: 1 }).expect(201);
      const before = await rowCounts();
      await setFence(database, 'inventory', state, 7);
      const refusals = [
        await reserve('o-2', { A: 1 }),
        // A replay, an unknown id and a shortage are answers of the owner too.
        await reserve('o-3', { C: 9 }, 'k-9'),
        await act(body.id, 'commit'),
        await act('unknown', 'release'),
      ];
      for (const refusal of refusals) {
        expect(refusal.status).toBe(421);
        expect(refusal.body).toMatchObject({
          code: 'fenced',
          capability: 'inventory',
          state,
          epoch: 7,
        });
      }
      expect(await rowCounts()).toEqual(before);
      expect(await levelOf('A')).toEqual([10, 1, 9]);
    });

    it('is closed where no engine has been', async () => {
      await database.transaction((trx) => trx.schema.dropTable('fig_fence'));
      const { body } = await reserve('o-1', { A: 1 }).expect(421);
      expect(body).toMatchObject({ state: 'closed', epoch: 0 });
    });
  });

  describe('bad input', () => {
    it.each([
      ['an unknown field', { orderId: 'o', items: [{ sku: 'A', quantity: 1 }], x: 1 }, 'x'],
      ['a fraction', { orderId: 'o', items: [{ sku: 'A', quantity: 0.5 }] }, 'items.0.quantity'],
      ['no lines', { orderId: 'o', items: [] }, 'items'],
      ['nothing', undefined, 'orderId'],
    ])('names the field: %s', async (_case, body, field) => {
      const answer = await request(server).post('/api/inventory/reservations').send(body);
      expect(answer.status).toBe(400);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.body.errors[0].field).toBe(field);
      expect(await rowCounts()).toMatchObject({ reservations: 0, request_keys: 0 });
    });

    it('stores nothing for unknown SKUs and names the lines', async () => {
      const { status, body } = await reserve('o-1', { A: 1, Z: 1 }, 'k-1');
      expect([status, body.code, body.errors[0].field]).toEqual([
        422,
        'unknown_sku',
        'items.1.sku',
      ]);
      expect(await rowCounts()).toMatchObject({ reservations: 0, request_keys: 0 });
    });

    it('refuses foreign cursors and pages with its own', async () => {
      await list('cursor=bm9uc2Vuc2U').expect(400);
      await list('limit=0').expect(400);
      await list('sort=sku').expect(400);
      const first = await list('limit=2').expect(200);
      expect(first.body.items.map(({ sku }: { sku: string }) => sku)).toEqual(['A', 'B']);
      const second = await list(`limit=2&cursor=${first.body.nextCursor}`).expect(200);
      expect(second.body).toMatchObject({ items: [{ sku: 'C' }], nextCursor: null });
    });

    it('says which methods a path takes', async () => {
      const { headers, body } = await request(server).delete('/api/inventory/A').expect(405);
      expect([headers['allow'], body.code]).toEqual(['GET', 'method_not_allowed']);
    });
  });
});
