import type { Intent, ProviderOperation, Transaction } from '../../chassis/index.ts';
import { paymentEvent } from '../../contracts/index.ts';
import { paymentGuard } from './guard.ts';
import { outbox } from './outbox.ts';
import { findPayment } from './payments.ts';

/**
 * The same operation, which publishes what settling has changed about a payment, in its transaction. Settling again
 * changes nothing and publishes nothing.
 * @param paymentOf the id of the payment that an intent is about
 */
export function published<I extends Intent, Outcome, About>(
  operation: ProviderOperation<I, Outcome, About>,
  paymentOf: (intent: I) => string,
): ProviderOperation<I, Outcome, About> {
  return {
    ...operation,
    async settle(trx: Transaction, intent, outcome, now) {
      const before = await findPayment(trx, paymentOf(intent));
      const answer = await operation.settle(trx, intent, outcome, now);
      const after = await findPayment(trx, paymentOf(intent));
      const event = before && after && paymentEvent(before, after);
      if (event) await outbox.publish(trx, { ...event, epoch: paymentGuard.epoch(trx) });
      return answer;
    },
  };
}
