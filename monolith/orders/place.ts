import { z } from 'zod';
import { keptRefusal, refuse } from '../../chassis/index.ts';
import type {
  KeyedRequest,
  KeyStore,
  Problem,
  SagaDefinition,
  StepOutcome,
  StoredAnswer,
  Transaction,
} from '../../chassis/index.ts';
import {
  Id,
  orderGivenUp,
  outOfStock,
  paymentDeclined,
  reservationReleased,
} from '../../contracts/index.ts';
import type { Line, Money, PaymentMethod } from '../../contracts/index.ts';
import type { Publish } from './events.ts';
import type { InventoryPort } from './ports/inventory-port.ts';
import type { Owned } from './ports/owned.ts';
import type { PaymentPort } from './ports/payment-port.ts';
import { codeOf, read, UnsettledAnswer } from './ports/port.ts';
import type { CallKey } from './ports/port.ts';
import { updateOrder } from './rows.ts';

type Refused =
  | { readonly why: 'out_of_stock'; readonly skus: readonly string[] }
  | { readonly why: 'payment_declined' }
  /** Somebody released the order's reservation past the order. */
  | { readonly why: 'reservation_released' }
  /** A step was refused for good, and an operator has dropped it. */
  | { readonly why: 'given_up' };

/** What is known of an order that is being placed. */
export interface Placing {
  readonly request: KeyedRequest;
  readonly orderId: string;
  readonly customerId: string;
  readonly items: readonly Line[];
  readonly total: Money;
  readonly method: PaymentMethod;
  readonly reservationId: string | null;
  readonly paymentId: string | null;
  readonly refused: Refused | null;
}

interface Payer {
  readonly customerId?: string;
}

export interface OrderSagaDeps {
  readonly inventory: Owned<InventoryPort>;
  readonly payment: Owned<PaymentPort>;
  readonly keys: KeyStore;
  readonly publish: Publish;
}

/** A step's key: the same at every owner and after every crash. */
export function stepKey(orderId: string, step: string): CallKey {
  return { key: `order:${orderId}:${step}`, attemptId: `order:${orderId}` };
}

/** What a step needs of its answer, and no more: a newer owner may say more. */
const Made = z.object({ id: Id });
const Short = z.object({ skus: z.array(z.string()) });
const Unknown = z.object({ errors: z.array(z.object({ value: z.string() })) });
const Reserved = z.object({ reservationId: Id });
const Declined = z.object({ paymentId: Id.optional() });

const idIn = (call: string, answer: StoredAnswer): string => read(Made, call, answer).id;

function refusal(refused: Refused): StepOutcome<Placing> {
  return { outcome: 'refused', data: { refused } };
}

async function reserve(
  inventory: Owned<InventoryPort>,
  { orderId, items }: Placing,
): Promise<StepOutcome<Placing>> {
  const call = stepKey(orderId, 'reserve');
  const answer = await inventory((port) => port.reserve({ orderId, items: [...items] }, call));
  if (answer.status === 201)
    return { outcome: 'done', data: { reservationId: idIn('reserve', answer) } };
  switch (codeOf(answer)) {
    case 'out_of_stock':
      return refusal({ why: 'out_of_stock', skus: read(Short, 'reserve', answer).skus });
    case 'unknown_sku':
      // In the catalogue, but never stocked.
      return refusal({
        why: 'out_of_stock',
        skus: read(Unknown, 'reserve', answer).errors.map(({ value }) => value),
      });
    case 'already_reserved':
      // Nobody else knows this order's id: it is our own, and its key is older than keys are kept.
      return { outcome: 'done', data: read(Reserved, 'reserve', answer) };
    default:
      throw new UnsettledAnswer('reserve', answer);
  }
}

/** Gives an order's goods back. */
export async function releaseReservation(
  inventory: Owned<InventoryPort>,
  orderId: string,
  reservationId: string | null,
): Promise<void> {
  if (reservationId === null) return;
  const call = stepKey(orderId, 'release');
  const answer = await inventory((port) => port.release(reservationId, call));
  if (answer.status !== 200) throw new UnsettledAnswer('release', answer);
}

async function charge(
  payment: Owned<PaymentPort>,
  { orderId, customerId, total, method }: Placing,
): Promise<StepOutcome<Placing>> {
  if (total.amount === 0) return { outcome: 'done' };
  const body = { orderId, customerId, ...total, method };
  const call = { ...stepKey(orderId, 'charge'), customerId };
  const answer = await payment((port) => port.pay(body, call), customerId);
  if (answer.status === 201)
    return { outcome: 'done', data: { paymentId: idIn('charge', answer) } };
  if (answer.status !== 402) throw new UnsettledAnswer('charge', answer);
  const { paymentId = null } = read(Declined, 'charge', answer);
  return { outcome: 'refused', data: { paymentId, refused: { why: 'payment_declined' } } };
}

/**
 * Pays back all that is left of an order's payment; nothing left is as good.
 * @param customerId unknown to sagas from before customers moved one by one
 */
export async function refundPayment(
  payment: Owned<PaymentPort>,
  { orderId, paymentId, customerId }: Pick<Placing, 'orderId' | 'paymentId'> & Payer,
): Promise<void> {
  if (paymentId === null) return;
  const call = {
    ...stepKey(orderId, 'refund'),
    ...(customerId === undefined ? {} : { customerId }),
  };
  const answer = await payment((port) => port.refund(paymentId, call), customerId);
  const nothingLeft = codeOf(answer) === 'refund_exceeds_payment';
  if (answer.status !== 201 && !nothingLeft) throw new UnsettledAnswer('refund', answer);
}

async function commit(
  inventory: Owned<InventoryPort>,
  { orderId, reservationId }: Placing,
): Promise<StepOutcome<Placing>> {
  if (reservationId === null) return { outcome: 'done' };
  const call = stepKey(orderId, 'commit');
  const answer = await inventory((port) => port.commit(reservationId, call));
  if (answer.status === 200) return { outcome: 'done' };
  if (codeOf(answer) === 'reservation_released') return refusal({ why: 'reservation_released' });
  throw new UnsettledAnswer('commit', answer);
}

function problemOf({ orderId, reservationId, paymentId, refused }: Placing): Problem {
  switch (refused?.why) {
    case 'payment_declined':
      return refuse(paymentDeclined({ orderId, ...(paymentId === null ? {} : { paymentId }) }));
    case 'reservation_released':
      return refuse(reservationReleased(reservationId ?? ''));
    case 'out_of_stock':
      return refuse(outOfStock(refused.skus, orderId));
    case 'given_up':
      return refuse(orderGivenUp(orderId));
    default:
      throw new Error(`order ${orderId} was undone without a reason`);
  }
}

/** Placing an order: reserve, charge, commit the reservation; then the order is confirmed. */
export function placeSaga(deps: OrderSagaDeps): SagaDefinition<Placing, Transaction> {
  const { inventory, payment, keys, publish } = deps;
  return {
    type: 'place',
    steps: [
      {
        name: 'reserve',
        run: (data) => reserve(inventory, data),
        undo: async ({ orderId, reservationId }) => {
          await releaseReservation(inventory, orderId, reservationId);
          return {};
        },
      },
      {
        name: 'charge',
        run: (data) => charge(payment, data),
        undo: async (data) => {
          await refundPayment(payment, data);
          return {};
        },
      },
      { name: 'commit', run: (data) => commit(inventory, data) },
    ],
    async completed(trx, { orderId, paymentId, reservationId, request }) {
      const order = await updateOrder(trx, orderId, 'confirmed', { paymentId, reservationId });
      await publish(trx, 'OrderConfirmed', order);
      await keys.finish(trx, request, { status: 201, body: order }, orderId, Date.now());
    },
    async compensated(trx, data) {
      const { orderId, paymentId, reservationId, request, refused } = data;
      const status = refused?.why === 'payment_declined' ? 'payment_declined' : 'rejected';
      const order = await updateOrder(trx, orderId, status, { paymentId, reservationId });
      await publish(trx, 'OrderRejected', order);
      await keys.finish(trx, request, keptRefusal(problemOf(data)), orderId, Date.now());
    },
    whenDropped: refusal({ why: 'given_up' }),
    shown: ({ request: _key, method: _card, ...order }) => ({ ...order, method: '[redacted]' }),
  };
}
