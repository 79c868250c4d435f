import { strict as assert } from 'node:assert';
import { Adjustment, Reservation, StockLevel, StockLevelPage } from '../inventory.ts';
import type { Api } from './api.ts';
import type { ContractCase } from './run.ts';

const area = 'inventory';
const RESERVATIONS = '/api/inventory/reservations';

async function expectLevel(api: Api, sku: string, onHand: number, reserved: number): Promise<void> {
  const level = (await api.get(`/api/inventory/${encodeURIComponent(sku)}`)).is(200, StockLevel);
  assert.deepEqual(level, { sku, onHand, reserved, available: onHand - reserved });
}

async function reserve(
  api: Api,
  lines: Readonly<Record<string, number>>,
  orderId = api.fresh('order'),
): Promise<Reservation> {
  const items = Object.entries(lines).map(([sku, quantity]) => ({ sku, quantity }));
  const made = (await api.post(RESERVATIONS, { orderId, items })).is(201, Reservation);
  assert.equal(made.orderId, orderId);
  assert.equal(made.status, 'active');
  return made;
}

export const stockCases: readonly ContractCase[] = [
  {
    name: 'the stock of one SKU is shown, and that of an unknown one is not found',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-05': 42 });
      await expectLevel(api, 'CT-05', 42, 0);
      (await api.get('/api/inventory/CT-UNKNOWN')).isProblem('not_found');
    },
  },
  {
    name: 'a SKU with a blank and a slash has stock like any other',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-25 X/2': 7, 'CT-05': 42 });
      const reservation = await reserve(api, { 'CT-25 X/2': 2, 'CT-05': 1 });
      assert.deepEqual(
        reservation.items.map(({ sku }) => sku),
        ['CT-05', 'CT-25 X/2'],
      );
      await expectLevel(api, 'CT-25 X/2', 7, 2);
      const released = `${RESERVATIONS}/${reservation.id}/release`;
      assert.equal((await api.post(released)).is(200, Reservation).status, 'released');
    },
  },
  {
    name: 'stock is listed in pages, in the order of the SKUs',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-01': 11, 'CT-02': 12, 'CT-03': 13 });
      const first = (await api.get('/api/inventory?limit=2')).is(200, StockLevelPage);
      assert.deepEqual(
        first.items.map(({ sku, onHand }) => [sku, onHand]),
        [
          ['CT-01', 11],
          ['CT-02', 12],
        ],
      );
      const cursor = encodeURIComponent(String(first.nextCursor));
      const second = (await api.get(`/api/inventory?limit=1&cursor=${cursor}`)).is(
        200,
        StockLevelPage,
      );
      assert.deepEqual(second.items[0], { sku: 'CT-03', onHand: 13, reserved: 0, available: 13 });
    },
  },
  {
    name: 'a list refuses limits, cursors and fields that it does not know',
    area,
    async run(api) {
      for (const limit of ['0', '201', '-1', '1.5', 'many', '']) {
        (await api.get(`/api/inventory?limit=${limit}`)).names('limit');
      }
      (await api.get('/api/inventory?limit=1&limit=2')).names('limit');
      for (const cursor of ['', 'CT-01', 'bm90IG91cnM', '%00']) {
        (await api.get(`/api/inventory?cursor=${cursor}`)).names('cursor');
      }
      (await api.get('/api/inventory?order=sku')).names('order');
    },
  },
  {
    name: 'an adjustment adds and takes, never below what is reserved',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-06': 10 });
      const reservation = await reserve(api, { 'CT-06': 4 });
      const path = '/api/inventory/CT-06/adjustments';
      const added = (await api.post(path, { delta: 5, reason: 'delivery' })).is(201, Adjustment);
      assert.deepEqual(
        [added.sku, added.delta, added.reason, added.stock.onHand, added.stock.available],
        ['CT-06', 5, 'delivery', 15, 11],
      );
      (await api.post(path, { delta: -11, reason: 'breakage' })).is(201, Adjustment);
      (await api.post(path, { delta: -1, reason: 'breakage' })).isProblem('insufficient_stock');
      await expectLevel(api, 'CT-06', 4, 4);
      (await api.post(`${RESERVATIONS}/${reservation.id}/release`)).is(200, Reservation);
      const unknown = '/api/inventory/CT-UNKNOWN/adjustments';
      (await api.post(unknown, { delta: 1, reason: 'delivery' })).isProblem('not_found');
    },
  },
  {
    name: 'an adjustment says which field is wrong',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-07': 10 });
      const path = '/api/inventory/CT-07/adjustments';
      const right = { delta: 1, reason: 'delivery' };
      for (const delta of [0, 1.5, '1', null, 1_000_001, -1_000_001]) {
        (await api.post(path, { ...right, delta })).names('delta');
      }
      for (const reason of ['', 'x'.repeat(201), 7, null]) {
        (await api.post(path, { ...right, reason })).names('reason');
      }
      (await api.post(path, { ...right, sku: 'CT-07' })).names('sku');
      (await api.post(path, {})).names('delta', 'reason');
      await expectLevel(api, 'CT-07', 10, 0);
    },
  },
];

export const reservationCases: readonly ContractCase[] = [
  {
    name: 'a reservation is made, shown, committed and taken back, each of them once',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-08': 10, 'CT-09': 5 });
      const made = await reserve(api, { 'CT-09': 2, 'CT-08': 3 });
      assert.deepEqual(made.items, [
        { sku: 'CT-08', quantity: 3 },
        { sku: 'CT-09', quantity: 2 },
      ]);
      const path = `${RESERVATIONS}/${made.id}`;
      assert.deepEqual((await api.get(path)).is(200, Reservation), made);
      await expectLevel(api, 'CT-08', 10, 3);
      for (const _again of [1, 2]) {
        const committed = (await api.post(`${path}/commit`)).is(200, Reservation);
        assert.deepEqual(committed, { ...made, status: 'committed' });
        await expectLevel(api, 'CT-08', 7, 0);
        await expectLevel(api, 'CT-09', 3, 0);
      }
      for (const _again of [1, 2]) {
        const released = (await api.post(`${path}/release`)).is(200, Reservation);
        assert.deepEqual(released, { ...made, status: 'released' });
        await expectLevel(api, 'CT-08', 10, 0);
      }
      (await api.post(`${path}/commit`)).isProblem('reservation_released');
    },
  },
  {
    name: 'an active reservation is released without touching what is on hand',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-10': 8 });
      const { id } = await reserve(api, { 'CT-10': 8 });
      await expectLevel(api, 'CT-10', 8, 8);
      (await api.post(`${RESERVATIONS}/${id}/release`)).is(200, Reservation);
      await expectLevel(api, 'CT-10', 8, 0);
    },
  },
  {
    name: 'an unknown reservation is not found, whatever is asked of it',
    area,
    async run(api) {
      for (const verb of ['commit', 'release']) {
        (await api.post(`${RESERVATIONS}/unknown/${verb}`)).isProblem('not_found');
      }
      (await api.get(`${RESERVATIONS}/unknown`)).isProblem('not_found');
    },
  },
  {
    name: 'all lines are reserved or none, and the SKUs that fall short are named',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-11': 5, 'CT-12': 1, 'CT-13': 0 });
      const items = [
        { sku: 'CT-13', quantity: 1 },
        { sku: 'CT-11', quantity: 5 },
        { sku: 'CT-12', quantity: 2 },
      ];
      const refused = await api.post(RESERVATIONS, { orderId: api.fresh('order'), items });
      assert.deepEqual(refused.isProblem('out_of_stock')['skus'], ['CT-12', 'CT-13']);
      await expectLevel(api, 'CT-11', 5, 0);
    },
  },
  {
    name: 'unknown SKUs are named by line, and nothing is kept',
    area,
    async run(api) {
      const key = api.key();
      const body = {
        orderId: api.fresh('order'),
        items: [
          { sku: 'CT-14', quantity: 1 },
          { sku: 'CT-UNKNOWN', quantity: 1 },
        ],
      };
      for (const _again of [1, 2]) {
        const answer = await api.post(RESERVATIONS, body, key);
        const { errors } = answer.isProblem('unknown_sku') as { errors: { field: string }[] };
        assert.deepEqual(
          errors.map(({ field }) => field),
          ['items.1.sku'],
        );
        assert.equal(answer.headers['idempotent-replayed'], undefined);
      }
      await expectLevel(api, 'CT-14', 100, 0);
    },
  },
  {
    name: 'an order has one reservation',
    area,
    async run(api) {
      await api.arrangeStock({ 'CT-15': 5 });
      const orderId = api.fresh('order');
      const { id } = await reserve(api, { 'CT-15': 1 }, orderId);
      const again = { orderId, items: [{ sku: 'CT-15', quantity: 1 }] };
      const refused = (await api.post(RESERVATIONS, again)).isProblem('already_reserved');
      assert.equal(refused['reservationId'], id);
      (await api.post(`${RESERVATIONS}/${id}/release`)).is(200, Reservation);
    },
  },
  {
    name: 'a reservation says which field is wrong',
    area,
    async run(api) {
      const items = [{ sku: 'CT-16', quantity: 1 }];
      const orderId = api.fresh('order');
      for (const quantity of [0, -1, 1.5, '1', null, 1_000_001]) {
        const wrong = { orderId, items: [{ sku: 'CT-16', quantity }] };
        (await api.post(RESERVATIONS, wrong)).names('items.0.quantity');
      }
      for (const wrong of ['', ' ', '../x', 'x'.repeat(65), 7, null]) {
        (await api.post(RESERVATIONS, { orderId: wrong, items })).names('orderId');
        const line = { sku: wrong, quantity: 1 };
        (await api.post(RESERVATIONS, { orderId, items: [line] })).names('items.0.sku');
      }
      (await api.post(RESERVATIONS, { orderId, items: [...items, ...items] })).names('items.1.sku');
      (await api.post(RESERVATIONS, { orderId, items: [] })).names('items');
      (await api.post(RESERVATIONS, { orderId, items, note: 'x' })).names('note');
      const noted = { sku: 'CT-16', quantity: 1, note: 'x' };
      (await api.post(RESERVATIONS, { orderId, items: [noted] })).names('items.0.note');
      await expectLevel(api, 'CT-16', 100, 0);
    },
  },
];
