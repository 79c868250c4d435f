import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { asOperator } from '../../system/index.ts';
import { eventually, request } from '../support/index.ts';
import { ourServices } from './compose-file.ts';
import { withStack } from './stack.ts';
import type { Stack } from './stack.ts';

/** By which others than this machine could come, where it has one. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

const url = ({ ports }: Stack, place: string, host = '127.0.0.1'): string =>
  `http://${host}:${ports.get(place)}`;

interface Status {
  readonly capabilities: readonly { readonly capability: string; readonly transport: string }[];
}

/** The flags' server and its tokens come from the person who starts the containers. */
async function asksUnleash({ exec }: Stack): Promise<void> {
  const words = ['bin/fig', 'flags', 'set', 'inventory.reads', '10', '--yes'];
  const server = 'http://127.0.0.1:9/api';
  const given = { UNLEASH_URL: server, UNLEASH_TOKEN: 'a' };
  const refused = await exec('engine', words, given);
  expect(refused.code).not.toBe(0);
  expect(refused.output).toContain(server);
  expect(refused.output).toContain('UNLEASH_ADMIN_TOKEN');
  const away = await exec('engine', words, { ...given, UNLEASH_ADMIN_TOKEN: 'b' });
  expect(away.code).not.toBe(0);
  expect(away.output).not.toContain('UNLEASH_ADMIN_TOKEN');
}

describe('what docker-compose.yml runs', () => {
  it(
    'comes up in its order, by its own health checks, and sells',
    () =>
      withStack(async (stack) => {
        const facade = url(stack, 'facade:8080');
        const products = await request<{ items: { sku: string }[] }>(
          'GET',
          `${facade}/api/products`,
        );
        const order = await request<{ id: string }>('POST', `${facade}/api/orders`, {
          headers: { 'x-customer-id': 'ARENDAL' },
          body: {
            customerId: 'ARENDAL',
            items: [{ sku: products.body.items[0]?.sku, quantity: 1 }],
            paymentMethod: 'card_ok',
          },
          timeoutMs: 30_000,
        });
        expect([order.status, order.body]).toEqual([201, expect.objectContaining({})]);

        // Through Redis, once that has been found.
        await eventually(async () => {
          const status = await request<Status>('GET', `${url(stack, 'engine:4003')}/status`, {
            headers: asOperator({ env: { FIG_DATA_DIR: stack.data } }),
          });
          expect(status.body.capabilities.map(({ transport }) => transport)).toEqual([
            'queue',
            'queue',
          ]);
        });
        const told = await stack.exec('engine', ['bin/fig', 'status', '--json']);
        expect([told.code, JSON.parse(told.output)]).toEqual([0, expect.objectContaining({})]);
        const set = await stack.exec('engine', [
          'bin/fig',
          'flags',
          'set',
          'inventory.reads',
          '10',
          '--yes',
        ]);
        expect(set).toMatchObject({ code: 0 });
        expect(JSON.parse(readFileSync(join(stack.data, 'flags.json'), 'utf8'))).toMatchObject({});

        // Others reach what listens on all interfaces of its container.
        if (outside !== undefined) {
          const answers = [...stack.ports].filter(([place]) => !/^(redis|postgres):/.test(place));
          for (const [place] of answers) {
            expect((await request('GET', `${url(stack, place, outside)}/`)).status).toBeLessThan(
              500,
            );
          }
        }
        await asksUnleash(stack);

        const ends = await stack.stop();
        expect(Object.fromEntries(ends)).toEqual(
          Object.fromEntries(ourServices().map(([name]) => [name, 0])),
        );
      }),
    360_000,
  );
});
