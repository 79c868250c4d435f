import { setTimeout as delay } from 'node:timers/promises';
import { resolveAbandoned, resumeOperation } from '../../chassis/index.ts';
import type { KeyedRequest, Logger, OperationScope } from '../../chassis/index.ts';
import { chargeOperation } from './charge.ts';
import { findPayment } from './payments.ts';
import type { Provider } from './provider.ts';
import { refundOperation } from './refund.ts';

/** Finds out how every abandoned charge and refund ended; returns how many it settled. */
export function resolvePayments(
  scope: OperationScope,
  provider: Provider,
  log: Logger,
): Promise<number> {
  const resume = async (request: KeyedRequest, id: string): Promise<unknown> =>
    (await findPayment(scope.database.read, id))
      ? resumeOperation(scope, request, chargeOperation(provider))
      : resumeOperation(scope, request, refundOperation(provider));
  return resolveAbandoned(scope, resume, log);
}

/**
 * Settles what requests have left open, for as long as this side owns payments.
 * @returns stops it, after the round under way
 */
export function startResolver(
  scope: OperationScope,
  provider: Provider,
  log: Logger,
  everyMs = 1_000,
): () => Promise<void> {
  const stop = new AbortController();
  const rounds = (async () => {
    while (!stop.signal.aborted) {
      await pause(everyMs, stop.signal);
      if (stop.signal.aborted) return;
      await resolvePayments(scope, provider, log).catch((err: unknown) => {
        log.error({ err }, 'could not look for open payments');
      });
    }
  })();
  return async () => {
    stop.abort();
    await rounds;
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
