import type { Knex, Transaction } from '../../chassis/index.ts';
import type {
  Currency,
  Order,
  OrderItem,
  OrderStatus,
  PaymentMethod,
} from '../../contracts/index.ts';
import { timestampToIso, toDecimal, toMinor, toTimestamp } from '../legacy/index.ts';

const STATUS_OF_CODE = {
  P: 'pending',
  C: 'confirmed',
  R: 'rejected',
  D: 'payment_declined',
  X: 'cancelling',
  Z: 'cancelled',
} as const satisfies Record<string, OrderStatus>;

type StatusCode = keyof typeof STATUS_OF_CODE;

interface OrderRow {
  readonly ORD_NO: string;
  readonly CUST_NO: string;
  readonly STAT_CD: StatusCode;
  readonly TOT_AMT: string;
  readonly CURR_CD: Currency;
  readonly PAY_NO: string | null;
  readonly RSV_NO: string | null;
  readonly CRT_TS: string;
}

interface LineRow {
  readonly ORD_NO: string;
  readonly SKU_CD: string;
  readonly QTY: number;
  readonly UNIT_AMT: string;
}

function codeOf(status: OrderStatus): StatusCode {
  const codes = Object.keys(STATUS_OF_CODE) as StatusCode[];
  return codes.find((code) => STATUS_OF_CODE[code] === status) as StatusCode;
}

function present(row: OrderRow, lines: readonly LineRow[]): Order {
  const currency = row.CURR_CD;
  return {
    id: row.ORD_NO,
    customerId: row.CUST_NO,
    status: STATUS_OF_CODE[row.STAT_CD],
    items: lines
      .filter(({ ORD_NO }) => ORD_NO === row.ORD_NO)
      .map(({ SKU_CD, QTY, UNIT_AMT }): OrderItem => {
        return {
          sku: SKU_CD,
          quantity: QTY,
          unitPrice: { amount: toMinor(UNIT_AMT), currency },
        };
      }),
    total: { amount: toMinor(row.TOT_AMT), currency },
    paymentId: row.PAY_NO,
    reservationId: row.RSV_NO,
    createdAt: timestampToIso(row.CRT_TS),
  };
}

async function presentAll(connection: Knex, rows: readonly OrderRow[]): Promise<Order[]> {
  const numbers = rows.map(({ ORD_NO }) => ORD_NO);
  const lines = (await connection('ORD_LIN')
    .whereIn('ORD_NO', numbers)
    .orderBy(['ORD_NO', 'LIN_NO'])) as LineRow[];
  return rows.map((row) => present(row, lines));
}

/** An order, kept from others until the transaction ends. */
export async function holdOrder(trx: Transaction, id: string): Promise<Order | undefined> {
  const rows = (await trx('ORD_HDR').where({ ORD_NO: id }).forUpdate()) as OrderRow[];
  return (await presentAll(trx, rows))[0];
}

export async function findOrder(connection: Knex, id: string): Promise<Order | undefined> {
  const rows = (await connection('ORD_HDR').where({ ORD_NO: id })) as OrderRow[];
  return (await presentAll(connection, rows))[0];
}

/** The orders of a customer after `afterId`, oldest first. */
export async function listOrders(
  connection: Knex,
  customerId: string,
  afterId: string,
  limit: number,
): Promise<Order[]> {
  const rows = (await connection('ORD_HDR')
    .where({ CUST_NO: customerId })
    .where('ORD_NO', '>', afterId)
    .orderBy('ORD_NO')
    .limit(limit)) as OrderRow[];
  return presentAll(connection, rows);
}

export async function insertOrder(
  trx: Transaction,
  order: Order,
  method: PaymentMethod,
  now: number,
): Promise<void> {
  await trx('ORD_HDR').insert({
    ORD_NO: order.id,
    CUST_NO: order.customerId,
    STAT_CD: codeOf(order.status),
    TOT_AMT: toDecimal(order.total.amount),
    CURR_CD: order.total.currency,
    METH_CD: method,
    PAY_NO: order.paymentId,
    RSV_NO: order.reservationId,
    CRT_TS: toTimestamp(now),
    UPD_TS: toTimestamp(now),
  });
  for (const [index, { sku, quantity, unitPrice }] of order.items.entries()) {
    await trx('ORD_LIN').insert({
      ORD_NO: order.id,
      LIN_NO: index + 1,
      SKU_CD: sku,
      QTY: quantity,
      UNIT_AMT: toDecimal(unitPrice.amount),
    });
  }
}

/** Changes an order's status, and what it is known to hold; what is left out stays. */
export async function updateOrder(
  trx: Transaction,
  id: string,
  status: OrderStatus,
  holds: { readonly paymentId?: string | null; readonly reservationId?: string | null } = {},
): Promise<Order> {
  const rows = (await trx('ORD_HDR')
    .where({ ORD_NO: id })
    .update({
      STAT_CD: codeOf(status),
      ...(holds.paymentId === undefined ? {} : { PAY_NO: holds.paymentId }),
      ...(holds.reservationId === undefined ? {} : { RSV_NO: holds.reservationId }),
      UPD_TS: toTimestamp(Date.now()),
    })
    .returning('*')) as OrderRow[];
  const [order] = (await presentAll(trx, rows)) as [Order];
  return order;
}
