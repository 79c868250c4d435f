import { totalOf } from './dataset.ts';
import type { Dataset, PlannedOrder } from './dataset.ts';
import type { Ledger, OrderOutcome } from './ledger.ts';
import type { Shop, ShopAnswer } from './shop.ts';

/** Places planned orders as a customer would: looks, orders, looks again, perhaps cancels. */
export interface Customers {
  order(planned: PlannedOrder): Promise<void>;
}

/** The order's number as a request key, whatever characters it has. */
const keyOf = ({ number }: PlannedOrder): string => `rehearsal-${encodeURIComponent(number)}`;

/** A failed look still means a request with a documented answer was expected. */
const READ = ['200'] as const;

/** A reservation is of staff alone; its customer sees it as a part of the order. */
function reservationIn(details: ShopAnswer | null): Record<string, unknown> | undefined {
  const parts = details?.body['parts'] as
    { reservation?: { status: number; body?: Record<string, unknown> } } | undefined;
  return parts?.reservation?.status === 200 ? parts.reservation.body : undefined;
}

/** @param areKnown whether the shop knows who asks, and shows no customer what is another's */
export function createCustomers(
  dataset: Dataset,
  shop: Shop,
  ledger: Ledger,
  areKnown = false,
): Customers {
  const loaded = new Map(dataset.products.map(({ sku, onHand }) => [sku, onHand]));
  /** Per customer and SKU, what the customer knows to have bought. */
  const bought = new Map<string, number>();
  /** Per SKU, what anybody may have given back by now. */
  const returned = new Map<string, number>();

  function stale(what: string, detail: string): void {
    ledger.stale.push({ what, at: Date.now(), detail });
  }

  const look = (customerId: string, path: string): Promise<ShopAnswer | null> =>
    shop.send({ method: 'GET', path, customerId, accept: READ });

  /** Stock may be lower than this customer knows, others buy as well, but never higher. */
  async function lookAtStock(customerId: string, sku: string): Promise<void> {
    const own = bought.get(`${customerId} ${sku}`) ?? 0;
    const path = `/api/inventory/${encodeURIComponent(sku)}`;
    const answer = await look(customerId, path);
    const atMost = (loaded.get(sku) ?? 0) - own + (returned.get(sku) ?? 0);
    const onHand = Number(answer?.body['onHand']);
    if (answer && onHand > atMost) {
      stale(`GET ${path}`, `${customerId} saw ${onHand} on hand and knows of at most ${atMost}`);
    }
  }

  function remember(planned: PlannedOrder): void {
    for (const { sku, quantity } of planned.items) {
      const key = `${planned.customerId} ${sku}`;
      bought.set(key, (bought.get(key) ?? 0) + quantity);
    }
  }

  /** Before the answer: the stock may already show it. */
  function expectReturn(planned: PlannedOrder): void {
    for (const { sku, quantity } of planned.items) {
      returned.set(sku, (returned.get(sku) ?? 0) + quantity);
    }
  }

  async function place(planned: PlannedOrder): Promise<OrderOutcome> {
    const answer = await shop.send({
      method: 'POST',
      path: '/api/orders',
      customerId: planned.customerId,
      key: keyOf(planned),
      body: {
        customerId: planned.customerId,
        items: planned.items,
        paymentMethod: planned.method,
      },
      accept: ['201', '402 payment_declined', '409 out_of_stock'],
    });
    if (!answer) return { kind: 'unknown', reason: 'no documented answer came' };
    const orderId = String(answer.body['id'] ?? answer.body['orderId']);
    switch (answer.status) {
      case 201:
        return { kind: 'confirmed', orderId, cancelled: false };
      case 402:
        return { kind: 'payment_declined', orderId };
      default:
        return { kind: 'out_of_stock', orderId };
    }
  }

  /** What the customer just did must show, whichever side answers. */
  async function lookBack(planned: PlannedOrder, orderId: string): Promise<void> {
    const { customerId } = planned;
    const free = totalOf(planned, dataset) === 0;
    const order = await look(customerId, `/api/orders/${orderId}`);
    if (order && order.body['status'] !== 'confirmed') {
      stale(
        `GET /api/orders/${orderId}`,
        `confirmed, but shown as ${String(order.body['status'])}`,
      );
    }
    const payments = await look(customerId, `/api/payments?orderId=${orderId}`);
    const paid = (payments?.body['items'] ?? []) as { status?: string }[];
    const shown = free ? paid.length === 0 : paid.some(({ status }) => status === 'captured');
    if (payments && !shown) {
      const what = free ? 'free, with nothing to pay' : 'paid';
      stale(
        `GET /api/payments?orderId=${orderId}`,
        `${what}, but shown as ${JSON.stringify(paid)}`,
      );
    }
    if (!order) return;
    const path = areKnown
      ? `/api/orders/${orderId}/details?include=reservation`
      : `/api/inventory/reservations/${String(order.body['reservationId'])}`;
    const answer = await shop.send({
      method: 'GET',
      path,
      customerId,
      accept: ['200', '404 not_found'],
    });
    const reservation = areKnown ? reservationIn(answer) : answer?.body;
    if (reservation && reservation['status'] !== 'committed') {
      stale(`GET ${path}`, `committed, but shown as ${JSON.stringify(reservation)}`);
    }
    if (areKnown) await lookAtAnothers(customerId, orderId, String(order.body['paymentId']), free);
  }

  /** Whichever side owns it at the moment: an order and a payment are shown to their own customer alone. */
  async function lookAtAnothers(
    owner: string,
    orderId: string,
    paymentId: string,
    free: boolean,
  ): Promise<void> {
    const other = dataset.customers.find(({ id }) => id !== owner);
    if (!other) return;
    const paths = [`/api/orders/${orderId}`, ...(free ? [] : [`/api/payments/${paymentId}`])];
    for (const path of paths) {
      const from = Date.now();
      const accept = ['200', '404 not_found'];
      const answer = await shop.send({ method: 'GET', path, customerId: other.id, accept });
      if (answer?.status !== 200) continue;
      const reason = `${other.id} was shown what is ${owner}'s`;
      ledger.failed.push({ what: `GET ${path}`, from, to: Date.now(), reason });
    }
  }

  async function cancel(planned: PlannedOrder, orderId: string): Promise<OrderOutcome> {
    expectReturn(planned);
    const answer = await shop.send({
      method: 'POST',
      path: `/api/orders/${orderId}/cancel`,
      customerId: planned.customerId,
      key: `${keyOf(planned)}-cancel`,
      accept: ['200'],
    });
    return answer
      ? { kind: 'confirmed', orderId, cancelled: true }
      : { kind: 'unknown', reason: 'no documented answer to the cancellation came' };
  }

  return {
    async order(planned) {
      const first = planned.items[0];
      if (!first) throw new Error(`order ${planned.number} has no items`);
      await look(planned.customerId, `/api/products/${encodeURIComponent(first.sku)}`);
      await lookAtStock(planned.customerId, first.sku);
      let told = await place(planned);
      ledger.told.set(planned, told);
      if (told.kind !== 'confirmed') return;
      remember(planned);
      await lookBack(planned, told.orderId);
      await lookAtStock(planned.customerId, first.sku);
      if (!planned.cancel) return;
      told = await cancel(planned, told.orderId);
      ledger.told.set(planned, told);
    },
  };
}
