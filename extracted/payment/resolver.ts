import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FencedError, Problem } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import { runOperation } from './provider-operation.ts';
import type { PaymentScope } from './provider-operation.ts';
import { chargeOperation } from './charge.ts';
import { findPayment } from './payments.ts';
import type { Provider } from './provider.ts';
import { refundOperation } from './refund.ts';

interface OpenKey {
  readonly key: string;
  readonly request_hash: string;
  readonly resource_id: string;
  readonly customer_id: string;
}

const AT_ONCE = 10;

/**
 * Requests whose attempt has died or given up, so that nobody is working on them; only those of
 * customers that are owned here: the others would be in their way.
 */
async function abandoned({ database: { read }, guard, now }: PaymentScope): Promise<OpenKey[]> {
  return (await read('request_keys')
    .modify(await guard.openHere(read, 'customer_id'))
    .where({ state: 'in_flight' })
    .where('lease_until', '<=', now())
    .whereNotNull('resource_id')
    .orderBy('lease_until')
    .limit(AT_ONCE)
    .select('key', 'request_hash', 'resource_id', 'customer_id')) as OpenKey[];
}

const alreadyStarted = (): never => {
  throw new Error('the request was started before');
};

async function resolve(scope: PaymentScope, provider: Provider, open: OpenKey): Promise<void> {
  const { key, request_hash: hash, customer_id: cohortKey } = open;
  const request = { key, hash, attemptId: `resolver-${randomUUID()}`, cohortKey };
  if (await findPayment(scope.database.read, open.resource_id)) {
    await runOperation(scope, request, chargeOperation(provider), alreadyStarted);
  } else {
    await runOperation(scope, request, refundOperation(provider), alreadyStarted);
  }
}

/** Finds out how every abandoned charge and refund ended; returns how many it settled. */
export async function resolveAbandoned(
  scope: PaymentScope,
  provider: Provider,
  log: Logger,
): Promise<number> {
  const outcomes = await Promise.all(
    (await abandoned(scope)).map(async (open) => {
      try {
        await resolve(scope, provider, open);
        log.info({ resource: open.resource_id }, 'settled what a request had left open');
        return 1;
      } catch (err) {
        // Moved away, still not known, or taken up by its client again: all of it is fine.
        if (!(err instanceof FencedError || err instanceof Problem)) {
          log.error({ err, resource: open.resource_id }, 'could not settle');
        }
        return 0;
      }
    }),
  );
  return outcomes.reduce<number>((total, settled) => total + settled, 0);
}

/**
 * Settles what requests have left open, for as long as this side owns payments.
 * @returns stops it, after the round under way
 */
export function startResolver(
  scope: PaymentScope,
  provider: Provider,
  log: Logger,
  everyMs = 1_000,
): () => Promise<void> {
  const stop = new AbortController();
  const rounds = (async () => {
    while (!stop.signal.aborted) {
      await pause(everyMs, stop.signal);
      if (stop.signal.aborted) return;
      await resolveAbandoned(scope, provider, log).catch((err: unknown) => {
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
