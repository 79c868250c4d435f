import { keptRefusal, ownerTransaction, refuse } from '../../chassis/index.ts';
import type { KeyedAnswer, KeyedRequest, StoredAnswer, Transaction } from '../../chassis/index.ts';
import { paymentDeclined, paymentPending } from '../../contracts/index.ts';
import { toTimestamp } from '../legacy/index.ts';
import { customerOf } from './intents.ts';
import type { Intent, PaymentScope } from './intents.ts';
import { ProviderSilent } from './provider.ts';
import type { Provider } from './provider.ts';
import { findPayment } from './rows.ts';

/**
 * Has the provider do what is intended, and records what came of it. No transaction is open while
 * the provider works.
 * @throws FencedError when the fence closed meanwhile: the new owner goes on with the same intent
 * @throws Problem 503 `payment_pending` when the provider says nothing; the same key goes on
 */
export async function settle(
  scope: PaymentScope,
  provider: Provider,
  asked: KeyedRequest,
  intent: Intent,
): Promise<KeyedAnswer> {
  const request = { ...asked, cohortKey: customerOf(intent) };
  try {
    if (intent.kind === 'charge') {
      const outcome = await provider.charge(intent.payment, intent.fresh);
      return await record(scope, request, intent.payment.id, (trx, at) =>
        recordCharge(trx, intent.payment.id, outcome, at),
      );
    }
    const { id, paymentId } = intent.refund;
    await provider.refund(intent.refund);
    return await record(scope, request, id, (trx, at) => recordRefund(trx, id, paymentId, at));
  } catch (error) {
    if (!(error instanceof ProviderSilent)) throw error;
    await ownerTransaction(
      scope.database,
      scope.guard,
      (trx) => scope.keys.letGo(trx, request),
      request.cohortKey,
    );
    const paymentId = intent.kind === 'charge' ? intent.payment.id : intent.refund.paymentId;
    throw refuse(paymentPending(paymentId));
  }
}

/** Records an outcome and its answer, unless another attempt has done so. */
function record(
  { database, guard, keys, now }: PaymentScope,
  request: KeyedRequest,
  resourceId: string,
  effect: (trx: Transaction, at: string) => Promise<StoredAnswer>,
): Promise<KeyedAnswer> {
  const take = async (trx: Transaction): Promise<KeyedAnswer> => {
    const known = await keys.find(trx, request);
    if (known?.answer) return { answer: known.answer, replayed: true };
    const at = now();
    const answer = await effect(trx, toTimestamp(at));
    await keys.finish(trx, request, answer, resourceId, at);
    return { answer, replayed: false };
  };
  return ownerTransaction(database, guard, take, request.cohortKey);
}

async function recordCharge(
  trx: Transaction,
  paymentId: string,
  outcome: 'captured' | 'declined',
  at: string,
): Promise<StoredAnswer> {
  await trx('PAY_TXN')
    .where({ PAY_NO: paymentId, STAT_CD: 'P' })
    .update({ STAT_CD: outcome === 'captured' ? 'S' : 'D', UPD_TS: at });
  if (outcome === 'declined') return keptRefusal(refuse(paymentDeclined({ paymentId })));
  return { status: 201, body: await findPayment(trx, paymentId) };
}

async function recordRefund(
  trx: Transaction,
  refundId: string,
  paymentId: string,
  at: string,
): Promise<StoredAnswer> {
  await trx('PAY_RFND').where({ RFND_NO: refundId }).update({ STAT_CD: 'S', UPD_TS: at });
  return { status: 201, body: await findPayment(trx, paymentId) };
}
