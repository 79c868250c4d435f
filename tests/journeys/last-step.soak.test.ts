import { describe, expect, it } from '@jest/globals';
import { createOperator } from '../../rehearsal/index.ts';
import type { CommandResult } from '../../rehearsal/index.ts';
import { eventually, request, withSystem } from '../support/index.ts';

const ITEM = '/api/inventory/SHIP-001';

interface Ordered {
  readonly id: string;
  readonly status: string;
}

describe('the last step', () => {
  it(
    'retires the routes of the monolith, while orders go on as before',
    () =>
      withSystem(
        { variables: { FIG_SOAK_MS: '0', FIG_QUIET_MS: '0', FIG_SUNSET: '2030-06-30' } },
        async (system) => {
          const fig = createOperator({ ...process.env, ...system.env });
          const [facade, monolith] = [system.urls['facade'] ?? '', system.urls['monolith'] ?? ''];
          const done = async (...words: string[]): Promise<CommandResult> => {
            const result = await fig(...words);
            expect(result).toMatchObject({ code: 0 });
            return result;
          };
          const order = async (): Promise<Ordered> => {
            const items = [{ sku: 'SHIP-001', quantity: 1 }];
            const body = { customerId: 'CORK', items, paymentMethod: 'card_ok' };
            const answer = await request<Ordered>('POST', `${facade}/api/orders`, { body });
            expect(answer).toMatchObject({ status: 201, body: { status: 'confirmed' } });
            return answer.body;
          };
          expect((await request('GET', monolith + ITEM)).headers['deprecation']).toBeUndefined();
          await done('backfill', 'inventory');
          await done('ramp', 'inventory', '100');
          await done('reconcile', 'inventory');
          await done('switch', 'inventory');
          const before = Date.now();
          await eventually(async () => {
            const { status, headers } = await request('GET', monolith + ITEM);
            expect(status).toBe(200);
            const since = Number(/^@(\d+)$/.exec(String(headers['deprecation']))?.[1]) * 1_000;
            expect(before - since).toBeLessThan(60_000);
            expect(headers).toMatchObject({
              sunset: 'Sun, 30 Jun 2030 00:00:00 GMT',
              link: `<${system.urls['inventory']}${ITEM}>; rel="successor-version"`,
            });
          });
          const first = await order();
          const { output } = await done('complete', 'inventory', '--yes');
          expect(output).toMatchObject({
            outcome: 'done',
            tables: expect.arrayContaining([{ table: 'INV_STOCK', renamed: 'INV_STOCK_retired' }]),
            leftovers: expect.arrayContaining(['code monolith/inventory/']),
          });
          const expectGone = async (): Promise<void> => {
            for (const [method, path] of [
              ['GET', ITEM],
              ['GET', '/api/inventory'],
              ['POST', `${ITEM}/adjustments`],
            ] as const) {
              expect(await request(method, monolith + path)).toMatchObject({
                status: 410,
                headers: {
                  'content-type': 'application/problem+json; charset=utf-8',
                  link: `<${system.urls['inventory']}${path}>; rel="successor-version"`,
                },
                body: { code: 'moved_away', capability: 'inventory' },
              });
            }
          };
          await expectGone();
          // The facade sends everybody to the service, whatever the flags ask for by now.
          await done('flags', 'set', 'inventory.reads', '0');
          await eventually(async () => {
            const asked = { headers: { 'x-customer-id': 'CORK' } };
            expect((await request('GET', facade + ITEM, asked)).status).toBe(200);
          });
          const second = await order();
          for (const { id } of [first, second]) {
            expect(await request('POST', `${facade}/api/orders/${id}/cancel`)).toMatchObject({
              status: 200,
              body: { status: 'cancelled' },
            });
          }
          expect(await fig('reverse', 'inventory')).toMatchObject({ code: 3 });
          // The monolith knows it by itself: a new one, and nobody else around to tell it.
          system.pause('engine');
          await system.kill('monolith', 'SIGKILL');
          await eventually(expectGone);
          await order();
          // So does a new facade that nobody is there to tell: it asks the services.
          system.pause('redis');
          await system.kill('facade', 'SIGKILL');
          await eventually(async () => {
            const { status } = await request('GET', facade + ITEM).catch(() => ({ status: 0 }));
            expect(status).not.toBe(410);
            expect(status).toBe(200);
          });
          const counted = { delta: 1, reason: 'count' };
          const path = `${facade}${ITEM}/adjustments`;
          expect((await request('POST', path, { body: counted })).status).toBe(201);
          system.resume('redis');
          system.resume('engine');
        },
      ),
    180_000,
  );
});
