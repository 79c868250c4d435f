import { idOfEffect, keptRefusal, notFound, refuse, runOperation } from '../../chassis/index.ts';
import type {
  Intent,
  KeyedAnswer,
  KeyedRequest,
  OperationScope,
  Pending,
  Problem,
  ProviderOperation,
  Transaction,
} from '../../chassis/index.ts';
import { paymentNotCaptured, paymentPending, refundExceedsPayment } from '../../contracts/index.ts';
import type { Payment, RefundRequest } from '../../contracts/index.ts';
import { addEntry, entryIds, findPayment, holdPayment, refundable } from './payments.ts';
import type { Entry } from './payments.ts';
import type { Provider, RefundIntent } from './provider.ts';
import { published } from './published.ts';

type Refund = RefundIntent & Intent;
type RefundOperation = ProviderOperation<Refund, 'refunded', Payment>;

async function mustFind(trx: Transaction, id: string): Promise<Refund> {
  const found = await findRefund(trx, id);
  if (!found) throw notFound('refund', id);
  return found;
}

async function findRefund(trx: Transaction, id: string): Promise<Refund | undefined> {
  const entry = (await trx('payment_entries')
    .where({ entry_id: entryIds.refundRequest(id) })
    .first()) as Entry | undefined;
  if (!entry) return undefined;
  const { payment_id: paymentId, customer_id: cohortKey, amount_minor: amount } = entry;
  return { id, paymentId, cohortKey, amount };
}

/** Paying money back, from the request for it that was recorded. */
export function refundOperation(provider: Provider): RefundOperation {
  return published(refunding(provider), ({ paymentId }) => paymentId);
}

function refunding(provider: Provider): RefundOperation {
  return {
    find: mustFind,
    ask: (intent) => provider.refund(intent),
    pending: ({ paymentId }) => refuse(paymentPending(paymentId)),
    async settle(trx, { id, paymentId, cohortKey, amount }, kind, now) {
      await addEntry(trx, {
        payment_id: paymentId,
        customer_id: cohortKey,
        entry_id: entryIds.refunded(id),
        kind,
        amount_minor: amount,
        at: now,
      });
      return { status: 201, body: await findPayment(trx, paymentId) };
    },
  };
}

const refused = ({ customerId }: Payment, problem: Problem): Pending<Refund> => ({
  refusal: keptRefusal(problem),
  cohortKey: customerId,
});

/**
 * Pays some of a payment back, or all that is left, once for its key.
 * @throws Problem 404 for an unknown payment
 */
export function refund(
  scope: OperationScope,
  provider: Provider,
  request: KeyedRequest,
  paymentId: string,
  { amount }: RefundRequest,
): Promise<KeyedAnswer> {
  const operation: RefundOperation = {
    ...refundOperation(provider),
    about: {
      look: (connection) => findPayment(connection, paymentId),
      hold: (trx) => holdPayment(trx, paymentId),
      keyOf: (payment) => payment?.customerId,
    },
  };
  return runOperation(scope, request, operation, async (trx, now, payment) => {
    if (!payment) throw notFound('payment', paymentId);
    const id = idOfEffect(request);
    const earlier = await findRefund(trx, id);
    if (earlier) return { intent: earlier, askedBefore: true };
    if (payment.status === 'pending' || payment.status === 'declined') {
      return refused(payment, refuse(paymentNotCaptured(paymentId)));
    }
    const left = await refundable(trx, payment);
    const wanted = amount ?? left;
    if (wanted === 0 || wanted > left) {
      return refused(payment, refuse(refundExceedsPayment(paymentId, left)));
    }
    const { customerId } = payment;
    const intent = { id, paymentId, cohortKey: customerId, amount: wanted };
    await addEntry(trx, {
      payment_id: paymentId,
      customer_id: customerId,
      entry_id: entryIds.refundRequest(intent.id),
      kind: 'refund_requested',
      amount_minor: wanted,
      at: now,
    });
    return { intent };
  });
}
