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

interface PaymentRow {
  readonly id: string;
  readonly order_id: string;
  readonly customer_id: string;
  readonly amount_minor: number;
  readonly currency: Currency;
  readonly method: PaymentMethod;
  readonly created_at: number;
}

/** Something that happened to a payment. Entries are only ever added. */
export interface Entry {
  readonly payment_id: string;
  /** The payment's. */
  readonly customer_id: string;
  readonly entry_id: string;
  readonly kind: 'captured' | 'declined' | 'refund_requested' | 'refunded';
  readonly amount_minor: number;
  readonly at: number;
}

/** Ids of the entries that may happen once. */
export const entryIds = {
  settlement: 'settlement',
  refundRequest: (refundId: string) => `refund:${refundId}`,
  refunded: (refundId: string) => `refunded:${refundId}`,
} as const;

function sum(entries: readonly Entry[], kind: Entry['kind']): number {
  return entries
    .filter((entry) => entry.kind === kind)
    .reduce((total, entry) => total + entry.amount_minor, 0);
}

function statusOf(amount: number, entries: readonly Entry[]): PaymentStatus {
  const settlement = entries.find(({ entry_id: id }) => id === entryIds.settlement);
  if (!settlement) return 'pending';
  if (settlement.kind === 'declined') return 'declined';
  const refunded = sum(entries, 'refunded');
  if (refunded === 0) return 'captured';
  return refunded < amount ? 'partially_refunded' : 'refunded';
}

function present(row: PaymentRow, entries: readonly Entry[]): Payment {
  return {
    id: row.id,
    orderId: row.order_id,
    customerId: row.customer_id,
    amount: row.amount_minor,
    currency: row.currency,
    method: row.method,
    status: statusOf(row.amount_minor, entries),
    refundedAmount: sum(entries, 'refunded'),
    createdAt: new Date(row.created_at).toISOString(),
  };
}

async function withEntries(connection: Knex, rows: readonly PaymentRow[]): Promise<Payment[]> {
  if (rows.length === 0) return [];
  const entries = (await connection('payment_entries').whereIn(
    'payment_id',
    rows.map(({ id }) => id),
  )) as Entry[];
  return rows.map((row) =>
    present(
      row,
      entries.filter(({ payment_id: id }) => id === row.id),
    ),
  );
}

export async function findPayment(connection: Knex, id: string): Promise<Payment | undefined> {
  const rows = (await connection('payments').where({ id })) as PaymentRow[];
  return (await withEntries(connection, rows))[0];
}

/** All that has happened to a payment. */
export async function historyOf(connection: Knex, payment: Payment): Promise<PaymentHistory> {
  const entries = (await connection('payment_entries').where({
    payment_id: payment.id,
  })) as Entry[];
  return paymentHistory(
    payment,
    entries.map(({ kind, entry_id: id, amount_minor: amount, at }): PaymentEntry => {
      const [, refundId] = id.split(':');
      const createdAt = new Date(at).toISOString();
      return { event: kind, amount, ...(refundId !== undefined && { refundId }), createdAt };
    }),
  );
}

/** The same, and keeps others from paying it back until the transaction ends. */
export async function holdPayment(trx: Transaction, id: string): Promise<Payment | undefined> {
  await trx('payments').where({ id }).forUpdate().first('id');
  return findPayment(trx, id);
}

/** Which payments are listed: those of an order after one of them, of one customer where that is named. */
interface PaymentFilter {
  readonly orderId: string;
  readonly only: string | undefined;
  readonly after: string | undefined;
}

/** At most `count` payments, oldest first. */
export async function listPayments(
  connection: Knex,
  { orderId, only, after }: PaymentFilter,
  count: number,
): Promise<Payment[]> {
  const query = connection('payments')
    .where({ order_id: orderId, ...(only === undefined ? {} : { customer_id: only }) })
    .orderBy(['created_at', 'id'])
    .limit(count);
  if (after !== undefined) {
    void query.whereRaw(
      '(created_at, id) > (SELECT created_at, id FROM payments WHERE id = ?)',
      after,
    );
  }
  const rows = (await query) as PaymentRow[];
  return withEntries(connection, rows);
}

/** What may still be asked back: refunds that are under way count as paid. */
export async function refundable(connection: Knex, payment: Payment): Promise<number> {
  const entries = (await connection('payment_entries').where({
    payment_id: payment.id,
    kind: 'refund_requested',
  })) as Entry[];
  return payment.amount - sum(entries, 'refund_requested');
}

/** Adds an entry, once for its id. */
export async function addEntry(trx: Knex, entry: Entry): Promise<void> {
  await trx('payment_entries').insert(entry).onConflict(['payment_id', 'entry_id']).ignore();
}
