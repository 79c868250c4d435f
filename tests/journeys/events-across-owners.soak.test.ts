import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import Database from 'better-sqlite3';
import type { DomainEvent } from '../../chassis/index.ts';
import { CustomerOrders } from '../../contracts/index.ts';
import type { Order } from '../../contracts/index.ts';
import { createOperator } from '../../rehearsal/index.ts';
import { asOperator } from '../../system/index.ts';
import type { System } from '../../system/index.ts';
import { eventually, request, withSystem } from '../support/index.ts';

const SKU = 'SHIP-001';
const CUSTOMER = 'CORK';

interface Archived {
  readonly events: readonly { readonly event: DomainEvent }[];
}

async function archiveOf(system: System, name: string): Promise<readonly DomainEvent[]> {
  const url = `${system.urls[name]}/event-archive?limit=1000`;
  const { body } = await request<Archived>('GET', url, { headers: asOperator(system) });
  return body.events.map(({ event }) => event);
}

/** Places orders, and cancels every other one, until it is told to stop. */
function customers(facade: string): () => Promise<string[]> {
  let going = true;
  const ids: string[] = [];
  const send = (path: string, body?: unknown) =>
    request<Order>('POST', `${facade}${path}`, {
      body,
      headers: { 'x-customer-id': CUSTOMER },
      timeoutMs: 30_000,
    });
  async function shop(): Promise<void> {
    while (going) {
      const items = [{ sku: SKU, quantity: 1 }];
      const order = { customerId: CUSTOMER, items, paymentMethod: 'card_ok' };
      const { status, body } = await send('/api/v1/orders', order);
      expect([status, body]).toMatchObject([201, { status: 'confirmed' }]);
      ids.push(body.id);
      if (ids.length % 2 === 0) await send(`/api/v1/orders/${body.id}/cancel`);
    }
  }
  const shopping = Promise.all([shop(), shop()]);
  return async () => {
    going = false;
    await shopping;
    return ids;
  };
}

it(
  'events of orders under way take effect once and in order while both capabilities move there and back, and readers die',
  () =>
    withSystem({ variables: { FIG_CONTRACT: 'off', SHIP_AFTER_MS: '200' } }, async (system) => {
      const facade = system.urls['facade'] ?? '';
      const operator = createOperator({ ...process.env, ...system.env });
      const fig = async (...words: string[]): Promise<void> => {
        expect([words, await operator(...words)]).toMatchObject([words, { code: 0 }]);
      };
      const stop = customers(facade);
      for (const capability of ['inventory', 'payment']) await fig('backfill', capability);
      for (const to of ['extracted', 'legacy', 'extracted']) {
        for (const capability of ['inventory', 'payment']) {
          await fig('switch', capability, '--to', to, '--yes');
          await system.kill(to === 'legacy' ? 'notification' : 'order-view');
        }
      }
      const ids = await stop();
      expect(ids.length).toBeGreaterThan(10);

      // Both sides have published, and each payment once, whoever owned it.
      const all = [
        ...(await archiveOf(system, 'monolith')),
        ...(await archiveOf(system, 'payment')),
      ];
      const captured = all.filter(({ type }) => type === 'PaymentCaptured');
      const payments = captured.map(({ subject }) => subject);
      expect(new Set(payments).size).toBe(payments.length);
      expect(new Set(captured.map(({ epoch }) => epoch)).size).toBeGreaterThan(1);

      // The read model is what the tables say.
      const { body: tables } = await request<{ items: Order[] }>(
        'GET',
        `${facade}/api/v1/orders?customerId=${CUSTOMER}&limit=200`,
      );
      await eventually(
        async () => {
          const url = `${facade}/api/v1/customers/${CUSTOMER}/orders?limit=200&sort=createdAt`;
          const seen = CustomerOrders.parse((await request('GET', url)).body);
          const shown = new Map(seen.items.map((each) => [each.orderId, each]));
          for (const order of tables.items) {
            const view = shown.get(order.id);
            const refunded = order.status === 'cancelled' ? order.total.amount : 0;
            expect(view).toMatchObject({
              status: order.status,
              payment: { paymentId: order.paymentId, refundedAmount: refunded },
            });
          }
        },
        { timeoutMs: 60_000 },
      );

      // Each customer is told once of each thing, and no event came too late for its place.
      for (const name of ['notification', 'order-view', 'monolith']) {
        const url = `${system.urls[name]}/dead-letters`;
        const { body } = await request<{ counts: Record<string, number> }>('GET', url, {
          headers: asOperator(system),
        });
        expect([name, body.counts['event']]).toEqual([name, 0]);
      }
      await eventually(
        () => {
          const database = new Database(join(system.dataDir, 'notification.db'), {
            readonly: true,
          });
          try {
            const told = database
              .prepare("SELECT order_id FROM messages WHERE template = 'OrderConfirmed'")
              .pluck()
              .all() as string[];
            expect(told.toSorted()).toEqual(ids.toSorted());
          } finally {
            database.close();
          }
        },
        { timeoutMs: 60_000 },
      );
    }),
  300_000,
);
