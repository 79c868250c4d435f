import type { Knex, Transaction } from '../../chassis/index.ts';
import { paymentHistory } from '../../contracts/index.ts';
import type {
  Currency,
  Payment,
  PaymentEntry,
  PaymentHistory,
  PaymentMethod,
  PaymentStatus,
} from '../../contracts/index.ts';
import { timestampToIso, toMinor } from '../legacy/index.ts';

/** A payment's row. STAT_CD: `P` the provider's answer is unknown, `S` settled, `D` declined. */
export interface PaymentRow {
  readonly PAY_NO: string;
  readonly ORD_NO: string;
  readonly CUST_NO: string;
  readonly AMT_TXT: string;
  readonly CURR_CD: Currency;
  readonly METH_CD: PaymentMethod;
  readonly STAT_CD: 'P' | 'S' | 'D';
  readonly CRT_TS: string;
  /** When it was settled; CRT_TS until then. */
  readonly UPD_TS: string;
}

export interface RefundRow {
  readonly RFND_NO: string;
  readonly PAY_NO: string;
  readonly CUST_NO: string;
  readonly AMT_TXT: string;
  readonly STAT_CD: 'P' | 'S';
  readonly CRT_TS: string;
  readonly UPD_TS: string;
}

function statusOf(row: PaymentRow, amount: number, refunded: number): PaymentStatus {
  if (row.STAT_CD === 'P') return 'pending';
  if (row.STAT_CD === 'D') return 'declined';
  if (refunded === 0) return 'captured';
  return refunded < amount ? 'partially_refunded' : 'refunded';
}

function present(row: PaymentRow, refunds: readonly RefundRow[]): Payment {
  const amount = toMinor(row.AMT_TXT);
  const settled = refunds.filter(({ STAT_CD, PAY_NO }) => STAT_CD === 'S' && PAY_NO === row.PAY_NO);
  const refundedAmount = settled.reduce((sum, { AMT_TXT }) => sum + toMinor(AMT_TXT), 0);
  return {
    id: row.PAY_NO,
    orderId: row.ORD_NO,
    customerId: row.CUST_NO,
    amount,
    currency: row.CURR_CD,
    method: row.METH_CD,
    status: statusOf(row, amount, refundedAmount),
    refundedAmount,
    createdAt: timestampToIso(row.CRT_TS),
  };
}

async function presentAll(connection: Knex, rows: readonly PaymentRow[]): Promise<Payment[]> {
  if (rows.length === 0) return [];
  const numbers = rows.map(({ PAY_NO }) => PAY_NO);
  const refunds = (await connection('PAY_RFND').whereIn('PAY_NO', numbers)) as RefundRow[];
  return rows.map((row) => present(row, refunds));
}

export async function findPayment(connection: Knex, id: string): Promise<Payment | undefined> {
  const rows = (await connection('PAY_TXN').where({ PAY_NO: id })) as PaymentRow[];
  return (await presentAll(connection, rows))[0];
}

/** All that has happened to a payment: its row and those of its refunds say it. */
export async function historyOf(connection: Knex, payment: Payment): Promise<PaymentHistory> {
  const { id, amount } = payment;
  const row = (await connection('PAY_TXN').where({ PAY_NO: id }).first()) as PaymentRow;
  const refunds = (await connection('PAY_RFND').where({ PAY_NO: id })) as RefundRow[];
  const settledAt = timestampToIso(row.UPD_TS);
  const settlement: PaymentEntry[] =
    row.STAT_CD === 'P'
      ? []
      : [{ event: row.STAT_CD === 'S' ? 'captured' : 'declined', amount, createdAt: settledAt }];
  return paymentHistory(payment, [...settlement, ...refunds.flatMap(entriesOf)]);
}

function entriesOf({ RFND_NO, AMT_TXT, STAT_CD, CRT_TS, UPD_TS }: RefundRow): PaymentEntry[] {
  const facts = { amount: toMinor(AMT_TXT), refundId: RFND_NO };
  const asked = { event: 'refund_requested', ...facts, createdAt: timestampToIso(CRT_TS) } as const;
  if (STAT_CD === 'P') return [asked];
  return [asked, { event: 'refunded', ...facts, createdAt: timestampToIso(UPD_TS) }];
}

/** The same, and keeps others from paying it back until the transaction ends. */
export async function holdPayment(trx: Transaction, id: string): Promise<Payment | undefined> {
  await trx('PAY_TXN').where({ PAY_NO: id }).forUpdate().first('PAY_NO');
  return findPayment(trx, id);
}

/** Which payments are listed: those of an order after one of them, of one customer where that is named. */
interface PaymentFilter {
  readonly orderId: string;
  readonly only: string | undefined;
  readonly after: string | undefined;
}

/** At most `limit` payments, oldest first. */
export async function listPayments(
  connection: Knex,
  { orderId, only, after }: PaymentFilter,
  limit: number,
): Promise<Payment[]> {
  const query = connection('PAY_TXN')
    .where({ ORD_NO: orderId, ...(only === undefined ? {} : { CUST_NO: only }) })
    .orderBy(['CRT_TS', 'PAY_NO'])
    .limit(limit);
  if (after !== undefined) {
    void query.whereRaw(
      '("CRT_TS", "PAY_NO") > (SELECT "CRT_TS", "PAY_NO" FROM "PAY_TXN" WHERE "PAY_NO" = ?)',
      after,
    );
  }
  const rows = (await query) as PaymentRow[];
  return presentAll(connection, rows);
}

/** What may still be asked back: refunds that are under way count as paid. */
export async function refundable(connection: Knex, payment: Payment): Promise<number> {
  const amounts = (await connection('PAY_RFND')
    .where({ PAY_NO: payment.id })
    .pluck('AMT_TXT')) as string[];
  return amounts.reduce((left, amount) => left - toMinor(amount), payment.amount);
}
