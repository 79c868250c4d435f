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
import { toDecimal, toMinor, toTimestamp } from '../legacy/index.ts';
import type { Provider, RefundIntent } from './provider.ts';
import { published } from './published.ts';
import { findPayment, holdPayment, refundable } from './rows.ts';
import type { RefundRow } from './rows.ts';

type Refund = RefundIntent & Intent;
type RefundOperation = ProviderOperation<Refund, 'refunded', Payment>;

async function mustFind(trx: Transaction, id: string): Promise<Refund> {
  const found = await findRefund(trx, id);
  if (!found) throw notFound('refund', id);
  return found;
}

async function findRefund(trx: Transaction, id: string): Promise<Refund | undefined> {
  const row = (await trx('PAY_RFND').where({ RFND_NO: id }).first()) as RefundRow | undefined;
  if (!row) return undefined;
  return { id, paymentId: row.PAY_NO, cohortKey: row.CUST_NO, amount: toMinor(row.AMT_TXT) };
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
    async settle(trx, { id, paymentId }, _outcome, now) {
      await trx('PAY_RFND')
        .where({ RFND_NO: id })
        .update({ STAT_CD: 'S', UPD_TS: toTimestamp(now) });
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
    await trx('PAY_RFND').insert({
      RFND_NO: id,
      PAY_NO: paymentId,
      CUST_NO: customerId,
      AMT_TXT: toDecimal(wanted),
      STAT_CD: 'P',
      CRT_TS: toTimestamp(now),
      UPD_TS: toTimestamp(now),
    });
    return { intent: { id, paymentId, cohortKey: customerId, amount: wanted } };
  });
}
