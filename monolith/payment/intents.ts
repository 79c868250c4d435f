import { v7 as uuid } from 'uuid';
import {
  admit,
  idOfStep,
  keptRefusal,
  notFound,
  refuse,
  rowOwnerTransaction,
} from '../../chassis/index.ts';
import type {
  Database,
  FenceGuard,
  KeyedRequest,
  KeyRecord,
  KeyStore,
  Problem,
  StoredAnswer,
  Subject,
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
export type PaymentDraft =
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

/** What is known of a request before anything is done about it. */
interface Known {
  readonly record: KeyRecord | undefined;
  /** The payment that it is about, unless what it has left behind tells enough. */
  readonly payment: Payment | undefined;
}

function knownOf(
  { keys }: PaymentScope,
  request: KeyedRequest,
  paymentId?: string,
): Subject<Known> {
  return {
    async look(connection) {
      const record = await keys.find(connection, request);
      const needed = paymentId !== undefined && typeof record?.resourceId !== 'string';
      return { record, payment: needed ? await findPayment(connection, paymentId) : undefined };
    },
    keyOf: ({ record, payment }) => record?.cohortKey ?? payment?.customerId,
  };
}

/**
 * Takes a request up in one transaction: its answer when there is one, else its intent.
 * @param paymentId the payment that it is about, where that is there already
 */
async function open(
  scope: PaymentScope,
  request: KeyedRequest,
  paymentId: string | undefined,
  first: (trx: Transaction, at: number, known: Known) => Promise<Intent | Refused>,
): Promise<PaymentDraft> {
  const { database, guard, keys, now } = scope;
  const subject = knownOf(scope, request, paymentId);
  return rowOwnerTransaction(database, guard, request.cohortKey, subject, async (trx, known) => {
    const at = now();
    const admission = admit(known.record, request, at);
    if (admission.kind === 'replay') return { answer: admission.answer, replayed: true };
    const made =
      admission.kind === 'resume' && admission.resourceId !== null
        ? await findIntent(trx, admission.resourceId)
        : await first(trx, at, known);
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
): Promise<PaymentDraft> {
  // Who pays is in the body, whatever a header says.
  const theirs = { ...request, cohortKey: body.customerId };
  return open(scope, theirs, undefined, async (trx, at) => {
    const id = idOfStep(request.key) ?? uuid();
    const earlier = await findPayment(trx, id);
    if (earlier) return { kind: 'charge', payment: earlier, fresh: false };
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
): Promise<PaymentDraft> {
  return open(scope, request, paymentId, async (trx, at, { payment }) => {
    if (!payment) throw notFound('payment', paymentId);
    const { customerId } = payment;
    const id = idOfStep(request.key) ?? uuid();
    const earlier = await findRefund(trx, id);
    if (earlier) return { kind: 'refund', refund: earlier };
    if (payment.status === 'pending' || payment.status === 'declined') {
      return { refusal: refuse(paymentNotCaptured(paymentId)), customerId };
    }
    const left = await amountLeft(trx, payment);
    const amount = body.amount ?? left;
    if (amount > left || amount === 0) {
      return { refusal: refuse(refundExceedsPayment(paymentId, left)), customerId };
    }
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
