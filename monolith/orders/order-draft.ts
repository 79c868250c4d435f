import { v7 as uuid } from 'uuid';
import { admit, invalidRequest, keptRefusal, notFound, refuse } from '../../chassis/index.ts';
import type {
  Database,
  KeyedRequest,
  KeyStore,
  Lease,
  Problem,
  SagaRecord,
  StoredAnswer,
  Transaction,
} from '../../chassis/index.ts';
import { orderNotCancellable, unknownCustomer, unknownSku } from '../../contracts/index.ts';
import type { Order, OrderItem, OrderRequest, Product } from '../../contracts/index.ts';
import type { Catalogue } from '../catalogue/index.ts';
import type { Customers } from '../customers/index.ts';
import { CANCEL } from './cancel.ts';
import type { Cancelling } from './cancel.ts';
import type { Publish } from './events.ts';
import { PLACE } from './place.ts';
import type { Placing } from './place.ts';
import { holdOrder, insertOrder, updateOrder } from './rows.ts';
import { insertSaga } from './saga-store.ts';

export interface OpeningDeps {
  readonly database: Database;
  readonly keys: KeyStore;
  readonly catalogue: Catalogue;
  readonly customers: Customers;
  readonly publish: Publish;
}

/** What is to be done about a request: drive its new saga, join its old one, or just answer. */
export type OrderDraft<Data> =
  | { readonly begun: SagaRecord<Data> }
  | { readonly resume: string }
  | { readonly answer: StoredAnswer; readonly replayed: boolean };

export const placeId = (orderId: string): string => `place:${orderId}`;
export const cancelId = (orderId: string): string => `cancel:${orderId}`;

type FirstTime<Data> = (
  trx: Transaction,
  now: number,
) => Promise<
  | { readonly saga: SagaRecord<Data>; readonly orderId: string }
  | { readonly refusal: Problem; readonly orderId: string }
>;

/** Takes a request up in one transaction, in which its order, saga and key begin together. */
async function open<Data>(
  { database, keys }: OpeningDeps,
  request: KeyedRequest,
  sagaIdOf: (orderId: string) => string,
  first: FirstTime<Data>,
): Promise<OrderDraft<Data>> {
  return database.transaction(async (trx) => {
    const now = Date.now();
    const record = await keys.hold(trx, request);
    const admission = admit(record, request, now);
    if (admission.kind === 'replay') return { answer: admission.answer, replayed: true };
    if (admission.kind === 'resume' && admission.resourceId !== null) {
      await keys.begin(trx, request, record, admission.resourceId, now);
      return { resume: sagaIdOf(admission.resourceId) };
    }
    const made = await first(trx, now);
    if ('refusal' in made) {
      const answer = keptRefusal(made.refusal);
      await keys.answer(trx, request, record, answer, made.orderId, now);
      return { answer, replayed: false };
    }
    await keys.begin(trx, request, record, made.orderId, now);
    return { begun: made.saga };
  });
}

/** @throws Problem what is wrong with the order, which then leaves no trace */
async function price(
  { catalogue, customers }: OpeningDeps,
  { customerId, items }: OrderRequest,
): Promise<Pick<Order, 'items' | 'total'>> {
  if (!(await customers.exists(customerId))) throw refuse(unknownCustomer(customerId));
  const products = await catalogue.find(items.map(({ sku }) => sku));
  const unknown = items.map(({ sku }) => sku).filter((sku) => !products.has(sku));
  if (unknown.length > 0) throw refuse(unknownSku(items, unknown));
  const priced = items.map((line): OrderItem => {
    const { price: unitPrice } = products.get(line.sku) as Product;
    return { ...line, unitPrice };
  });
  return { items: priced, total: totalOf(priced) };
}

function totalOf(items: readonly OrderItem[]): Order['total'] {
  const [first] = items as [OrderItem];
  const { currency } = first.unitPrice;
  const amount = items.reduce(
    (sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount,
    0,
  );
  const other = items.findIndex(({ unitPrice }) => unitPrice.currency !== currency);
  if (other > 0) {
    throw invalidRequest([
      {
        field: `items.${other}.sku`,
        value: items[other]?.sku,
        message: `is priced in another currency than ${first.sku}, which is in ${currency}`,
        remedy: 'order what is priced in different currencies in different orders',
      },
    ]);
  }
  if (!Number.isSafeInteger(amount)) {
    throw invalidRequest([
      { field: 'items', message: 'come to more than can be charged', remedy: 'order less at once' },
    ]);
  }
  return { amount, currency };
}

export async function openPlacing(
  deps: OpeningDeps,
  body: OrderRequest,
  request: KeyedRequest,
  lease: Lease,
): Promise<OrderDraft<Placing>> {
  // Priced before the transaction, but refused inside it: a replay is answered as it was.
  const priced = await price(deps, body).then(
    (prices) => ({ prices }),
    (error: unknown) => ({ error }),
  );
  return open(deps, request, placeId, async (trx, now) => {
    if ('error' in priced) throw priced.error;
    const orderId = uuid();
    const order: Order = {
      id: orderId,
      customerId: body.customerId,
      status: 'pending',
      ...priced.prices,
      paymentId: null,
      reservationId: null,
      createdAt: new Date(now).toISOString(),
    };
    await insertOrder(trx, order, body.paymentMethod, now);
    await deps.publish(trx, 'OrderPlaced', order);
    const data: Placing = {
      request,
      orderId,
      customerId: body.customerId,
      items: body.items,
      total: order.total,
      method: body.paymentMethod,
      reservationId: null,
      paymentId: null,
      refused: null,
    };
    return { orderId, saga: await insertSaga(trx, PLACE, placeId(orderId), data, lease) };
  });
}

/** @throws Problem 404 */
export function openCancelling(
  deps: OpeningDeps,
  orderId: string,
  request: KeyedRequest,
  lease: Lease,
): Promise<OrderDraft<Cancelling>> {
  return open(deps, request, cancelId, async (trx) => {
    // Two cancellations of one order under two keys: only one of them begins.
    const order = await holdOrder(trx, orderId);
    if (!order) throw notFound('order', orderId);
    const { status, reservationId, paymentId, customerId } = order;
    if (status !== 'confirmed') {
      return { orderId, refusal: refuse(orderNotCancellable(orderId, status)) };
    }
    await updateOrder(trx, orderId, 'cancelling');
    const data: Cancelling = { request, orderId, reservationId, paymentId, customerId };
    return { orderId, saga: await insertSaga(trx, CANCEL, cancelId(orderId), data, lease) };
  });
}
