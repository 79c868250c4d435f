import { describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import { createExpressServer, createLog, listen, LOOPBACK_ONLY } from '../../chassis/index.ts';
import type { Database, Dialect } from '../../chassis/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
  paymentKeys,
} from '../../extracted/payment/index.ts';
import { buildProvider } from '../../extracted/provider/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import { parseSample, runConformance, Service } from '../../strangler/conformance/index.ts';
import type { CheckResult } from '../../strangler/conformance/index.ts';
import { openScratch } from '../../strangler/sides/sides.ts';
import { dialectsOfRun, temporaryDatabase } from '../support/index.ts';

const log = createLog('conformance', 'silent');
const access = LOOPBACK_ONLY;

async function served<T>(app: Express, use: (url: string) => Promise<T>): Promise<T> {
  const at = { port: 0, host: '127.0.0.1', variable: 'PORT' };
  const listening = await listen(createExpressServer(app), at);
  try {
    return await use(`http://127.0.0.1:${listening.port}`);
  } finally {
    await listening.close(0);
  }
}

interface Samples {
  readonly capability: string;
  readonly write: string;
  readonly read: string;
  readonly refusedWrite: string;
  /** Whose rows are written, where single keys may move ahead. */
  readonly key?: string;
}

/** The checks that a service has not passed, of those that were tried. */
async function faultsOf(
  url: string,
  database: Database,
  samples: Samples,
): Promise<readonly CheckResult[]> {
  const scratch = openScratch(database.url);
  try {
    const results = await runConformance({
      service: new Service(url),
      capability: samples.capability,
      token: {},
      test: {
        scratch,
        write: parseSample(samples.write),
        read: parseSample(samples.read),
        refusedWrite: parseSample(samples.refusedWrite),
        cohortKey: samples.key,
        keys: true,
        isMonolith: false,
        leftOut: new Set(),
      },
    });
    return results.filter(
      ({ verdict, check }) =>
        verdict !== 'passed' && (samples.key !== undefined || check !== 'fence_of_key'),
    );
  } finally {
    await scratch.close();
  }
}

describe.each(dialectsOfRun)('the shop’s services on %s keep the protocol', (dialect: Dialect) => {
  it('inventory', async () => {
    const database = await temporaryDatabase(inventoryMigrations, dialect);
    try {
      await database.transaction(async (trx) => {
        await trx('stock_levels').insert({ sku: 'A', on_hand: 5, updated_at: 0 });
      });
      const faults = await served(buildInventory({ database, log, access }), (url) =>
        faultsOf(url, database, {
          capability: 'inventory',
          write: 'POST /api/inventory/A/adjustments {"delta": 1, "reason": "recount"}',
          read: 'GET /api/inventory/A',
          refusedWrite: 'POST /api/inventory/none/adjustments {"delta": 1, "reason": "recount"}',
        }),
      );
      expect(faults).toEqual([]);
    } finally {
      await database.close();
    }
  });

  it('payment', async () => {
    const ledger = await temporaryDatabase(providerMigrations);
    const database = await temporaryDatabase(paymentMigrations, dialect);
    try {
      const faults = await served(
        buildProvider({ access, database: ledger, log, slowMs: 10 }),
        async (at) => {
          const provider = createProvider({ url: at, timeoutMs: 5_000, patienceMs: 30_000 });
          const scope = { database, guard: paymentGuard, keys: paymentKeys, now: Date.now };
          try {
            return await served(buildPayment({ access, scope, provider, log }), (url) =>
              faultsOf(url, database, {
                capability: 'payment',
                key: 'A',
                write:
                  'POST /api/payments {"orderId": "{unique}", "customerId": "A", "amount": 100, ' +
                  '"currency": "USD", "method": "card_ok"}',
                read: 'GET /api/payments?orderId=none',
                refusedWrite: 'POST /api/payments/none/refunds {"amount": 1}',
              }),
            );
          } finally {
            await provider.close();
          }
        },
      );
      expect(faults).toEqual([]);
    } finally {
      await Promise.all([database.close(), ledger.close()]);
    }
  });
});
