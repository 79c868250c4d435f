import { idOfEffect, keptRefusal, notFound, refuse, runOperation } from '../../chassis/index.ts';
import type {
  Intent,
  KeyedAnswer,
  KeyedRequest,
  OperationScope,
  ProviderOperation,
  Transaction,
} from '../../chassis/index.ts';
import { paymentDeclined, paymentPending } from '../../contracts/index.ts';
import type { Payment, PaymentRequest } from '../../contracts/index.ts';
import { toDecimal, toTimestamp } from '../legacy/index.ts';
import type { ChargeIntent, ChargeOutcome, Provider } from './provider.ts';
import { published } from './published.ts';
import { findPayment } from './rows.ts';

type Charge = ChargeIntent & Intent;

function chargeOf(payment: Pick<Payment, keyof ChargeIntent | 'customerId'>): Charge {
  const { id, customerId: cohortKey, orderId, amount, currency, method } = payment;
  return { id, cohortKey, orderId, amount, currency, method };
}

async function mustFind(trx: Transaction, id: string): Promise<Payment> {
  const payment = await findPayment(trx, id);
  if (!payment) throw notFound('payment', id);
  return payment;
}

/** Charging a card, from the payment that was recorded for it. */
export function chargeOperation(provider: Provider): ProviderOperation<Charge, ChargeOutcome> {
  return published(charging(provider), ({ id }) => id);
}

function charging(provider: Provider): ProviderOperation<Charge, ChargeOutcome> {
  return {
    find: async (trx, id) => chargeOf(await mustFind(trx, id)),
    ask: (charge, askedBefore) => provider.charge(charge, askedBefore),
    pending: ({ id }) => refuse(paymentPending(id)),
    async settle(trx, { id }, outcome, now) {
      await trx('PAY_TXN')
        .where({ PAY_NO: id, STAT_CD: 'P' })
        .update({ STAT_CD: outcome === 'captured' ? 'S' : 'D', UPD_TS: toTimestamp(now) });
      if (outcome === 'declined') return keptRefusal(refuse(paymentDeclined({ paymentId: id })));
      return { status: 201, body: await mustFind(trx, id) };
    },
  };
}

/** Charges a card, once for its key. */
export function pay(
  scope: OperationScope,
  provider: Provider,
  request: KeyedRequest,
  payment: PaymentRequest,
): Promise<KeyedAnswer> {
  // Who pays is in the body, whatever a header says.
  const theirs = { ...request, cohortKey: payment.customerId };
  return runOperation(scope, theirs, chargeOperation(provider), async (trx, now) => {
    const { orderId, customerId, amount, currency, method } = payment;
    const id = idOfEffect(request);
    const earlier = await findPayment(trx, id);
    if (earlier) return { intent: chargeOf(earlier), askedBefore: true };
    await trx('PAY_TXN').insert({
      PAY_NO: id,
      ORD_NO: orderId,
      CUST_NO: customerId,
      AMT_TXT: toDecimal(amount),
      CURR_CD: currency,
      METH_CD: method,
      STAT_CD: 'P',
      CRT_TS: toTimestamp(now),
      UPD_TS: toTimestamp(now),
    });
    return { intent: chargeOf({ id, ...payment }) };
  });
}
