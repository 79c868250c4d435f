import type { Router } from 'express';
import { movedRoutes } from '../../chassis/web/index.ts';
import type {
  Database,
  FenceGuard,
  HttpClient,
  KeyedAnswer,
  KeyedRequest,
  KeyStore,
  Logger,
} from '../../chassis/index.ts';
import type { PaymentRequest, RefundRequest } from '../../contracts/index.ts';
import { createLegacyKeys } from '../legacy/index.ts';
import { pay } from './charge.ts';
import { paymentGuard } from './guard.ts';
import { createProvider } from './provider.ts';
import { refund } from './refund.ts';
import { resolvePayments } from './resolver.ts';
import { paymentRoutes } from './routes.ts';

/**
 * What moves money. Each takes effect once for its key, and throws FencedError where this database
 * does not own payment; the owner goes on with the same key and attempt.
 */
export interface PaymentWrites {
  pay(body: PaymentRequest, request: KeyedRequest): Promise<KeyedAnswer>;
  refund(paymentId: string, body: RefundRequest, request: KeyedRequest): Promise<KeyedAnswer>;
}

/** Money in and out, as long as nobody else owns it. */
export interface PaymentModule {
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly routes: Router;
  readonly writes: PaymentWrites;
  /** Settles charges and refunds that a crash or a silent provider left open. */
  resolve(): Promise<number>;
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

export function createPayment(deps: PaymentDeps): PaymentModule {
  const { database, log } = deps;
  const keys = createLegacyKeys('PAY_IDEM', 'CUST_NO');
  const scope = { database, guard: paymentGuard, keys, now: Date.now };
  const provider = createProvider({
    client: deps.provider,
    timeoutMs: deps.providerTimeoutMs,
    patienceMs: deps.providerPatienceMs,
  });
  return {
    guard: paymentGuard,
    keys,
    routes: movedRoutes({
      database,
      capability: paymentGuard.capability,
      path: '/api/payments',
      routes: paymentRoutes(scope, provider),
    }),
    writes: {
      pay: (body, request) => pay(scope, provider, request, body),
      refund: (id, body, request) => refund(scope, provider, request, id, body),
    },
    resolve: () => resolvePayments(scope, provider, log),
  };
}
