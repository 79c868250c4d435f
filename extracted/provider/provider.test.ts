import type { Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { createExpressServer, createLog, LOOPBACK_ONLY } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import { eventually, temporaryDatabase } from '../../tests/support/index.ts';
import { buildProvider } from './index.ts';

const SLOW_MS = 120;
let database: Database;
let server: Server;

beforeEach(async () => {
  database = await temporaryDatabase(providerMigrations);
  const log = createLog('provider', 'silent');
  server = createExpressServer(
    buildProvider({ access: LOOPBACK_ONLY, database, log, slowMs: SLOW_MS }),
  );
});

afterEach(async () => {
  await database.close();
});

const charge = (method: string, changes: object = {}) =>
  request(server)
    .post('/charges')
    .send({
      paymentId: 'p-1',
      amount: 500,
      currency: 'USD',
      method,
      reference: 'o-1',
      ...changes,
    });
const refund = (refundId: string, amount: number, paymentId = 'p-1') =>
  request(server).post(`/charges/${paymentId}/refunds`).send({ refundId, amount });
const ledger = async () => (await request(server).get('/ledger').expect(200)).body;

describe('the sandbox provider', () => {
  it.each([
    ['card_ok', 'captured'],
    ['card_slow', 'captured'],
    ['card_declined', 'declined'],
  ])('decides by the card: %s is %s', async (method, status) => {
    const started = performance.now();
    const { body } = await charge(method).expect(201);
    expect(body.status).toBe(status);
    // How long the others take is the machine's.
    if (method === 'card_slow') expect(performance.now() - started).toBeGreaterThan(SLOW_MS - 5);
    expect((await request(server).get('/charges/p-1').expect(200)).body).toEqual(body);
  });

  it('charges card_timeout and never says so', async () => {
    await expect(charge('card_timeout').timeout(100)).rejects.toThrow(/timeout/i);
    const { body } = await request(server).get('/charges/p-1').expect(200);
    expect(body.status).toBe('captured');
  });

  it('charges a payment once, counts who asks, and refuses another charge under its id', async () => {
    await charge('card_ok').expect(201);
    const { body } = await charge('card_ok').expect(200);
    expect(body.requests).toBe(2);
    const other = await charge('card_ok', { amount: 501 }).expect(422);
    expect(other.body.code).toBe('charge_differs');
    expect((await ledger()).totals).toEqual({ USD: { charged: 500, refunded: 0 } });
    await request(server).get('/charges/p-2').expect(404);
  });

  it('pays back once for each refund, never more than was charged', async () => {
    await charge('card_ok').expect(201);
    await refund('r-1', 300).expect(201);
    await refund('r-1', 300).expect(200);
    await refund('r-1', 200).expect(422);
    await refund('r-2', 201).expect(409);
    await refund('r-2', 200).expect(201);
    await refund('r-3', 1, 'nobody').expect(404);
    await charge('card_declined', { paymentId: 'p-2' }).expect(201);
    await refund('r-4', 1, 'p-2').expect(409);
    const { refunds, totals } = await ledger();
    expect(totals).toEqual({ USD: { charged: 500, refunded: 500 } });
    expect(refunds).toMatchObject([{ refundId: 'r-1', requests: 2 }, { refundId: 'r-2' }]);
  });

  it('refuses what it does not understand', async () => {
    await charge('cash').expect(400);
    await charge('card_ok', { amount: 0.5 }).expect(400);
    expect((await ledger()).charges).toEqual([]);
    await eventually(async () => (await request(server).get('/readyz')).status === 200);
  });
});
