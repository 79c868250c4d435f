import type { Router } from 'express';
import { createFenceGuard } from '../../chassis/index.ts';
import { movedRoutes } from '../../chassis/web/index.ts';
import type { Database, FenceGuard, HttpClient, KeyStore, Logger } from '../../chassis/index.ts';
import { createLegacyKeys } from '../legacy/index.ts';
import { createProvider } from './provider.ts';
import { createResolver } from './resolver.ts';
import { paymentRoutes } from './routes.ts';
import { createPaymentWrites } from './writes.ts';
import type { PaymentWrites } from './writes.ts';

export type { PaymentWrites } from './writes.ts';

/** Money in and out, as long as nobody else owns it. */
export interface PaymentModule {
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly routes: Router;
  readonly writes: PaymentWrites;
  /** Settles charges and refunds that a crash or a silent provider left open. */
  readonly resolver: { run(): Promise<number> };
}

interface PaymentDeps {
  readonly database: Database;
  readonly log: Logger;
  /** The card processor. */
  readonly provider: HttpClient;
  /** How long one call to it may take, and how long to go on asking; milliseconds. */
  readonly providerTimeoutMs: number;
  readonly providerPatienceMs: number;
}

/** A monolith that no migration has touched owns its payments. */
export const paymentGuard: FenceGuard = createFenceGuard({
  capability: 'payment',
  whenAbsent: 'open',
});

export function createPayment(deps: PaymentDeps): PaymentModule {
  const { database, log } = deps;
  const keys = createLegacyKeys('PAY_IDEM', 'CUST_NO');
  const scope = { database, guard: paymentGuard, keys, now: Date.now };
  const provider = createProvider({
    client: deps.provider,
    timeoutMs: deps.providerTimeoutMs,
    patienceMs: deps.providerPatienceMs,
  });
  const writes = createPaymentWrites(scope, provider);
  return {
    guard: paymentGuard,
    keys,
    routes: movedRoutes({
      database,
      capability: paymentGuard.capability,
      path: '/api/payments',
      routes: paymentRoutes(database, writes),
    }),
    writes,
    resolver: createResolver(scope, provider, log),
  };
}
