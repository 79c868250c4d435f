import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  createExpressServer,
  createLog,
  listen,
  LOOPBACK_ONLY,
  openDatabase,
} from '../chassis/index.ts';
import { buildProvider } from '../extracted/provider/index.ts';
import type { Statement } from '../extracted/provider/index.ts';
import { providerMigrations } from '../migrations/provider/index.ts';
import {
  built,
  eventually,
  request,
  temporaryDatabase,
  withTempDir,
} from '../tests/support/index.ts';

interface Process {
  readonly url: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** The monolith as a process of its own, so that it can be killed in the middle of anything. */
async function startMonolith(dataDir: string, providerUrl: string): Promise<Process> {
  const child: ChildProcess = fork(built(new URL('main.ts', import.meta.url)), [], {
    execArgv: ['--enable-source-maps'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      FIG_DATA_DIR: dataDir,
      MONOLITH_PORT: '0',
      PROVIDER_URL: providerUrl,
      INVENTORY_URL: 'http://127.0.0.1:9',
      PAYMENT_URL: 'http://127.0.0.1:9',
      PROVIDER_TIMEOUT_MS: '300',
    },
  });
  const [message] = (await once(child, 'message')) as [{ ports: { http: number } }];
  return {
    url: `http://127.0.0.1:${message.ports.http}`,
    kill: async (signal) => {
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
  };
}

const METHODS = ['card_ok', 'card_slow', 'card_declined', 'card_timeout'];
const STOCK = 1000;

describe('a monolith that is killed in the middle of orders', () => {
  it(
    'finishes each of them once when it is back, without being asked',
    () =>
      withTempDir(async (dataDir) => {
        const ledger = await temporaryDatabase(providerMigrations);
        const log = createLog('provider', 'silent');
        const provider = await listen(
          createExpressServer(
            buildProvider({ access: LOOPBACK_ONLY, database: ledger, log, slowMs: 150 }),
          ),
          { port: 0, host: '127.0.0.1', variable: 'PORT' },
        );
        const providerUrl = `http://127.0.0.1:${provider.port}`;
        const books = async () => (await request<Statement>('GET', `${providerUrl}/ledger`)).body;
        let monolith = await startMonolith(dataDir, providerUrl);
        const database = await openDatabase(`file:${join(dataDir, 'monolith.db')}`);
        await database.transaction(async (trx) => {
          await trx('CAT_PROD').insert({
            SKU_CD: 'A',
            PROD_NM: 'A',
            PRC_AMT: '10.00',
            CURR_CD: 'USD',
          });
          await trx('INV_STOCK').insert({
            SKU_CD: 'A',
            QTY_OH: STOCK,
            QTY_RSV: 0,
            UPD_TS: '2026-01-01 00:00:00.000',
          });
          await trx('CUS_MST').insert({ CUST_NO: 'ALICE', CUST_NM: 'Alice', CTRY: 'NO' });
        });

        const place = (index: number) =>
          request<{ id?: string; orderId?: string }>('POST', `${monolith.url}/api/orders`, {
            body: {
              customerId: 'ALICE',
              items: [{ sku: 'A', quantity: 1 }],
              paymentMethod: METHODS[index % METHODS.length],
            },
            headers: { 'idempotency-key': `order-${index}` },
            timeoutMs: 15_000,
          });

        // Killed after the first charge, and in the middle of many.
        let orders = 0;
        for (const charges of [1, 12]) {
          const numbers = Array.from({ length: 16 }, (_, index) => orders + index);
          orders += numbers.length;
          const placing = Promise.allSettled(numbers.map(place));
          await eventually(async () => (await books()).charges.length >= charges, {
            intervalMs: 2,
          });
          await monolith.kill('SIGKILL');
          await placing;
          monolith = await startMonolith(dataDir, providerUrl);
        }

        await eventually(
          async () => {
            const open: unknown[] = await database
              .read('ORD_SAGA')
              .whereIn('STAT_CD', ['F', 'B'])
              .select('SAGA_ID');
            return open.length === 0;
          },
          { timeoutMs: 25_000 },
        );
        // Whoever asks again with the same key, also for an order that never arrived, gets its end.
        const answers = await Promise.all(
          Array.from({ length: orders }, (_, index) =>
            eventually(async () => {
              const answer = await place(index);
              return [201, 402].includes(answer.status) && answer;
            }),
          ),
        );

        const confirmed = answers.filter(({ status }) => status === 201);
        expect(confirmed).toHaveLength((orders / METHODS.length) * 3);
        expect(new Set(answers.map(({ body }) => body.id ?? body.orderId)).size).toBe(orders);
        expect(await database.read('INV_STOCK').first('QTY_OH', 'QTY_RSV')).toEqual({
          QTY_OH: STOCK - confirmed.length,
          QTY_RSV: 0,
        });
        const { charges, totals } = await books();
        expect(totals).toEqual({ USD: { charged: confirmed.length * 1000, refunded: 0 } });
        expect(new Set(charges.map(({ reference }) => reference)).size).toBe(charges.length);
        const statuses = (await database
          .read('ORD_HDR')
          .groupBy('STAT_CD')
          .orderBy('STAT_CD')
          .select('STAT_CD')
          .count({ count: '*' })) as unknown[];
        expect(statuses).toEqual([
          { STAT_CD: 'C', count: confirmed.length },
          { STAT_CD: 'D', count: orders - confirmed.length },
        ]);

        await monolith.kill('SIGTERM');
        await provider.close(0);
        await Promise.all([database.close(), ledger.close()]);
      }),
    90_000,
  );
});
