import { v7 as uuid } from 'uuid';
import { admit, keptRefusal, notFound, ownerTransaction, refuse } from '../../chassis/index.ts';
import type {
  Database,
  FenceGuard,
  KeyedRequest,
  KeyStore,
  Problem,
  StoredAnswer,
  Transaction,
} from '../../chassis/index.ts';
import { paymentNotCaptured, refundExceedsPayment } from '../../contracts/index.ts';
import type { Payment, PaymentRequest, RefundRequest } from '../../contracts/index.ts';
import { toDecimal, toTimestamp } from '../legacy/index.ts';
import type { Refund } from './provider.ts';
import { amountLeft, findPayment, findRefund } from './rows.ts';

/**
 * What the provider is to do, committed before it is asked. It is fresh when nobody can have asked
 * for it before.
 */
export type Intent =
  | { readonly kind: 'charge'; readonly payment: Payment; readonly fresh: boolean }
  | { readonly kind: 'refund'; readonly refund: Refund };

/** Whose rows it is about: all that a request leaves behind is this customer's. */
export function customerOf(intent: Intent): string {
  return intent.kind === 'charge' ? intent.payment.customerId : intent.refund.customerId;
}

/** What is to be done about a request: settle its intent, or give the answer that is known. */
export type Opening =
  { readonly intent: Intent } | { readonly answer: StoredAnswer; readonly replayed: boolean };

export interface PaymentScope {
  readonly database: Database;
  readonly guard: FenceGuard;
  readonly keys: KeyStore;
  readonly now: () => number;
}

/** The intent that a request left behind, by its payment's or refund's id. */
export async function findIntent(trx: Transaction, id: string): Promise<Intent> {
  const payment = await findPayment(trx, id);
  if (payment) return { kind: 'charge', payment, fresh: false };
  const refund = await findRefund(trx, id);
  if (refund) return { kind: 'refund', refund };
  throw new Error(`nothing is known of ${id}, though a request under way names it`);
}

interface Refused {
  readonly refusal: Problem;
  readonly customerId: string;
}

/** Takes a request up in one transaction: its answer when there is one, else its intent. */
async function open(
  { database, guard, keys, now }: PaymentScope,
  request: KeyedRequest,
  first: (trx: Transaction, at: number) => Promise<Intent | Refused>,
): Promise<Opening> {
  return ownerTransaction(database, guard, async (trx) => {
    const at = now();
    const admission = admit(await keys.find(trx, request.key), request, at);
    if (admission.kind === 'replay') return { answer: admission.answer, replayed: true };
    const made =
      admission.kind === 'resume' && admission.resourceId !== null
        ? await findIntent(trx, admission.resourceId)
        : await first(trx, at);
    if ('refusal' in made) {
      const answer = keptRefusal(made.refusal);
      await keys.finish(trx, { ...request, cohortKey: made.customerId }, answer, null, at);
      return { answer, replayed: false };
    }
    const id = made.kind === 'charge' ? made.payment.id : made.refund.id;
    await keys.begin(trx, { ...request, cohortKey: customerOf(made) }, id, at);
    return { intent: made };
  });
}

/** @throws FencedError, and what `admit` throws */
export function openCharge(
  scope: PaymentScope,
  body: PaymentRequest,
  request: KeyedRequest,
): Promise<Opening> {
  return open(scope, request, async (trx, at) => {
    const id = uuid();
    await trx('PAY_TXN').insert({
      PAY_NO: id,
      ORD_NO: body.orderId,
      CUST_NO: body.customerId,
      AMT_TXT: toDecimal(body.amount),
      CURR_CD: body.currency,
      METH_CD: body.method,
      STAT_CD: 'P',
      CRT_TS: toTimestamp(at),
      UPD_TS: toTimestamp(at),
    });
    const createdAt = new Date(at).toISOString();
    const payment: Payment = { id, ...body, status: 'pending', refundedAmount: 0, createdAt };
    return { kind: 'charge', payment, fresh: true };
  });
}

/** @throws FencedError, Problem 404, and what `admit` throws */
export function openRefund(
  scope: PaymentScope,
  paymentId: string,
  body: RefundRequest,
  request: KeyedRequest,
): Promise<Opening> {
  return open(scope, request, async (trx, at) => {
    const payment = await findPayment(trx, paymentId);
    if (!payment) throw notFound('payment', paymentId);
    const { customerId } = payment;
    if (payment.status === 'pending' || payment.status === 'declined') {
      return { refusal: refuse(paymentNotCaptured(paymentId)), customerId };
    }
    const left = await amountLeft(trx, payment);
    const amount = body.amount ?? left;
    if (amount > left || amount === 0) {
      return { refusal: refuse(refundExceedsPayment(paymentId, left)), customerId };
    }
    const id = uuid();
    await trx('PAY_RFND').insert({
      RFND_NO: id,
      PAY_NO: paymentId,
      CUST_NO: customerId,
      AMT_TXT: toDecimal(amount),
      STAT_CD: 'P',
      CRT_TS: toTimestamp(at),
      UPD_TS: toTimestamp(at),
    });
    return { kind: 'refund', refund: { id, paymentId, customerId, amount } };
  });
}
