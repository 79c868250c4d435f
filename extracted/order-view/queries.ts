import type { Knex } from '../../chassis/index.ts';
import type {
  Currency,
  OrderItem,
  OrderStatus,
  OrderTotals,
  OrderView,
  OrderViewQuery,
  PaymentStatus,
} from '../../contracts/index.ts';

interface Row {
  readonly order_id: string;
  readonly customer_id: string;
  readonly status: OrderStatus;
  readonly items: string;
  readonly total: number;
  readonly currency: Currency;
  readonly payment_id: string | null;
  readonly payment_status: PaymentStatus | null;
  readonly amount: number | null;
  readonly refunded_amount: number | null;
  readonly shipped_at: number | null;
  readonly created_at: number;
  readonly updated_at: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

export function present(row: Row): OrderView {
  const payment =
    row.payment_id === null || row.payment_status === null
      ? null
      : {
          paymentId: row.payment_id,
          status: row.payment_status,
          amount: Number(row.amount),
          refundedAmount: Number(row.refunded_amount),
        };
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    status: row.status,
    items: JSON.parse(row.items) as OrderItem[],
    total: { amount: row.total, currency: row.currency },
    payment,
    shippedAt: row.shipped_at === null ? null : iso(row.shipped_at),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

export type Filter = Pick<OrderViewQuery, 'customerId' | 'status' | 'paymentStatus' | 'shipped'>;

/** A generation's orders that a filter leaves. */
function filtered(connection: Knex, generation: number, filter: Filter): Knex.QueryBuilder {
  const { customerId, status, paymentStatus, shipped } = filter;
  const query = connection('order_rows as o')
    .leftJoin('payment_rows as p', (join) =>
      join.on('p.generation', 'o.generation').andOn('p.payment_id', 'o.payment_id'),
    )
    .leftJoin('shipment_rows as s', (join) =>
      join.on('s.generation', 'o.generation').andOn('s.order_id', 'o.order_id'),
    )
    .where('o.generation', generation);
  if (customerId !== undefined) void query.where('o.customer_id', customerId);
  if (status !== undefined) void query.where('o.status', status);
  if (paymentStatus !== undefined) void query.where('p.status', paymentStatus);
  if (shipped === 'true') void query.whereNotNull('s.shipped_at');
  if (shipped === 'false') void query.whereNull('s.shipped_at');
  return query;
}

type Sort = OrderViewQuery['sort'];

const COLUMN = { createdAt: 'created_at', total: 'total' } as const;

function columnOf(sort: Sort): 'created_at' | 'total' {
  return COLUMN[sort.replace('-', '') as keyof typeof COLUMN];
}

/** What a cursor holds: what a row is sorted by, and its id. */
export function sortKeyOf(sort: Sort): (row: Row) => string {
  const column = columnOf(sort);
  return (row) => `${row[column]} ${row.order_id}`;
}

/** At most `count` orders in this order, those after a sort key only. */
export async function listOrders(
  connection: Knex,
  generation: number,
  filter: Filter,
  { sort, after, count }: { sort: Sort; after: string | undefined; count: number },
): Promise<Row[]> {
  const column = columnOf(sort);
  const [direction, sign] = sort.startsWith('-') ? ['desc', '<'] : ['asc', '>'];
  const query = filtered(connection, generation, filter)
    .orderBy([
      { column: `o.${column}`, order: direction },
      { column: 'o.order_id', order: direction },
    ])
    .limit(count)
    .select('o.*', 'p.status as payment_status', 'p.amount', 'p.refunded_amount', 's.shipped_at');
  if (after !== undefined) {
    const [value = '', id = ''] = after.split(' ');
    void query.whereRaw(`(o.${column}, o.order_id) ${sign} (?, ?)`, [Number(value), id]);
  }
  return query as Promise<Row[]>;
}

/** What the orders that a filter leaves come to, by currency. */
export async function totalsOf(
  connection: Knex,
  generation: number,
  filter: Filter,
): Promise<OrderTotals[]> {
  const rows = (await filtered(connection, generation, filter)
    .groupBy('o.currency')
    .orderBy('o.currency')
    .select(
      'o.currency',
      connection.raw('count(*) AS orders'),
      connection.raw('sum(o.total) AS ordered'),
      connection.raw(
        "sum(CASE WHEN p.status IN ('captured', 'refunded', 'partially_refunded') THEN p.amount ELSE 0 END) AS paid",
      ),
      connection.raw('sum(coalesce(p.refunded_amount, 0)) AS refunded'),
    )) as Record<keyof OrderTotals, number | string>[];
  return rows.map(({ currency, orders, ordered, paid, refunded }) => ({
    currency: currency as Currency,
    orders: Number(orders),
    ordered: Number(ordered),
    paid: Number(paid),
    refunded: Number(refunded),
  }));
}
