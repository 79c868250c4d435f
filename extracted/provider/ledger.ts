import { notFound, Problem } from '../../chassis/index.ts';
import type { Database, Knex } from '../../chassis/index.ts';
import type { Charge, ChargeRequest, Refund, RefundRequest } from './schemas.ts';

/** Money that moved in one currency, in minor units. */
export interface Totals {
  readonly charged: number;
  readonly refunded: number;
}

export interface Statement {
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
  readonly totals: Readonly<Record<string, Totals>>;
}

/** The processor's durable books, keyed by payment and refund id. */
export interface Ledger {
  /**
   * Books a charge, or counts one more request for it.
   * @throws Problem 422 `charge_differs` when the payment id came with another charge before
   */
  charge(request: ChargeRequest): Promise<Charge>;
  /** @throws Problem 404 */
  find(paymentId: string): Promise<Charge>;
  /** @throws Problem 404, 409 `refund_exceeds_charge`, 422 `refund_differs` */
  refund(paymentId: string, request: RefundRequest): Promise<Refund>;
  statement(): Promise<Statement>;
}

type Row = Record<string, string | number>;

function toCharge(row: Row): Charge {
  return {
    paymentId: String(row['payment_id']),
    amount: Number(row['amount']),
    currency: String(row['currency']),
    method: String(row['method']) as Charge['method'],
    reference: String(row['reference']),
    status: String(row['status']) as Charge['status'],
    requests: Number(row['requests']),
    createdAt: Number(row['created_at']),
  };
}

function toRefund(row: Row): Refund {
  return {
    refundId: String(row['refund_id']),
    paymentId: String(row['payment_id']),
    amount: Number(row['amount']),
    requests: Number(row['requests']),
    createdAt: Number(row['created_at']),
  };
}

async function findCharge(connection: Knex, paymentId: string): Promise<Charge | undefined> {
  const row = (await connection('charges').where({ payment_id: paymentId }).first()) as
    Row | undefined;
  return row && toCharge(row);
}

/** The same, and keeps others from paying it back until the transaction ends. */
async function holdCharge(trx: Knex, paymentId: string): Promise<Charge | undefined> {
  await trx('charges').where({ payment_id: paymentId }).forUpdate().first('payment_id');
  return findCharge(trx, paymentId);
}

function sameCharge(left: ChargeRequest, right: ChargeRequest): boolean {
  const facts = ['amount', 'currency', 'method', 'reference'] as const;
  return facts.every((fact) => left[fact] === right[fact]);
}

/** In one statement: a request for a charge that is there only counts one more. */
async function bookCharge(trx: Knex, request: ChargeRequest): Promise<Charge> {
  const { paymentId, amount, currency, method, reference } = request;
  const [row] = (await trx('charges')
    .insert({
      payment_id: paymentId,
      amount,
      currency,
      method,
      reference,
      status: method === 'card_declined' ? 'declined' : 'captured',
      requests: 1,
      created_at: Date.now(),
    })
    .onConflict('payment_id')
    .merge({ requests: trx.raw('?? + 1', ['charges.requests']) })
    .returning('*')) as [Row];
  const charge = toCharge(row);
  if (!sameCharge(charge, request)) {
    throw new Problem(422, 'charge_differs', `payment ${paymentId} was another charge before`);
  }
  return charge;
}

async function bookRefund(trx: Knex, paymentId: string, request: RefundRequest): Promise<Refund> {
  const { refundId, amount } = request;
  const charge = await holdCharge(trx, paymentId);
  const row = (await trx('refunds').where({ refund_id: refundId }).first()) as Row | undefined;
  if (row) {
    const known = toRefund(row);
    if (known.paymentId !== paymentId || known.amount !== amount) {
      throw new Problem(422, 'refund_differs', `refund ${refundId} was another refund before`);
    }
    await trx('refunds').where({ refund_id: refundId }).increment('requests');
    return { ...known, requests: known.requests + 1 };
  }
  if (!charge) throw notFound('charge', paymentId);
  const sum = (await trx('refunds')
    .where({ payment_id: paymentId })
    .sum({ amount: 'amount' })
    .first()) as { amount: number | null } | undefined;
  const left = charge.status === 'captured' ? charge.amount - (sum?.amount ?? 0) : 0;
  if (amount > left) {
    throw new Problem(409, 'refund_exceeds_charge', `charge ${paymentId} has ${left} left`);
  }
  const createdAt = Date.now();
  await trx('refunds').insert({
    refund_id: refundId,
    payment_id: paymentId,
    amount,
    requests: 1,
    created_at: createdAt,
  });
  return { ...request, paymentId, requests: 1, createdAt };
}

function totalsOf(
  charges: readonly Charge[],
  refunds: readonly Refund[],
): Readonly<Record<string, Totals>> {
  const totals: Record<string, { charged: number; refunded: number }> = {};
  const currencies = new Map(charges.map(({ paymentId, currency }) => [paymentId, currency]));
  const of = (currency: string) => (totals[currency] ??= { charged: 0, refunded: 0 });
  for (const { currency, amount, status } of charges) {
    if (status === 'captured') of(currency).charged += amount;
  }
  for (const { paymentId, amount } of refunds) {
    const currency = currencies.get(paymentId);
    if (currency !== undefined) of(currency).refunded += amount;
  }
  return totals;
}

/** A ledger in this database. */
export function createLedger(database: Database): Ledger {
  return {
    charge: (request) => database.transaction((trx) => bookCharge(trx, request)),
    async find(paymentId) {
      const charge = await findCharge(database.read, paymentId);
      if (!charge) throw notFound('charge', paymentId);
      return charge;
    },
    refund: (paymentId, request) =>
      database.transaction((trx) => bookRefund(trx, paymentId, request)),
    async statement() {
      const [charges, refunds] = await Promise.all([
        database.read('charges').orderBy('payment_id') as Promise<Row[]>,
        database.read('refunds').orderBy('refund_id') as Promise<Row[]>,
      ]);
      const booked = { charges: charges.map(toCharge), refunds: refunds.map(toRefund) };
      return { ...booked, totals: totalsOf(booked.charges, booked.refunds) };
    },
  };
}
