import { z } from 'zod';
import { idOfEffect, keptRefusal, refuse } from '../../chassis/index.ts';
import type {
  KeyedRequest,
  KeyStore,
  Problem,
  SagaDefinition,
  StepOutcome,
  StepPolicy,
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
  /** What a step may take. */
  readonly policy: StepPolicy;
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

/**
 * Gives back what a step may have reserved of which no answer is known: its key asks the owner, at whom it takes
 * effect once.
 */
async function releaseUnknown(inventory: Owned<InventoryPort>, data: Placing): Promise<void> {
  const { data: found = {} } = await reserve(inventory, data);
  await releaseReservation(inventory, data.orderId, found.reservationId ?? null);
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

/** The id of an order's payment, whichever side has made it: it follows from the key of the step. */
function paymentIdOf(orderId: string): string {
  return idOfEffect({ ...stepKey(orderId, 'charge'), hash: '' });
}

/**
 * Pays back what a step may have charged of which no answer is known. To repeat the charge would ask its owner, but also
 * charge what never was: so the owner is asked for a refund, which it refuses where it knows no such payment. A payment
 * that it knows, and that is not captured yet, is asked for until it is settled, and paid back then.
 */
async function refundUnknown(payment: Owned<PaymentPort>, data: Placing): Promise<void> {
  const { orderId, customerId } = data;
  const paymentId = data.paymentId ?? paymentIdOf(orderId);
  const call = { ...stepKey(orderId, 'refund-unknown'), customerId };
  const answer = await payment((port) => port.refund(paymentId, call), customerId);
  if (answer.status === 201) return;
  switch (codeOf(answer)) {
    case 'not_found':
    case 'refund_exceeds_payment':
      return;
    case 'payment_not_captured': {
      const { outcome, data: found = {} } = await charge(payment, data);
      if (outcome === 'done') await refundPayment(payment, { ...data, paymentId, ...found });
      return;
    }
    default:
      throw new UnsettledAnswer('refund', answer);
  }
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

/**
 * Raise the version with every change of the steps, and keep the former ones in `earlier` for as long as sagas may be
 * under way with them.
 */
export const PLACE = { type: 'place', version: 1 } as const;

/** Placing an order: reserve, charge, commit the reservation; then the order is confirmed. */
export function placeSaga(deps: OrderSagaDeps): SagaDefinition<Placing, Transaction> {
  const { inventory, payment, keys, publish, policy } = deps;
  return {
    ...PLACE,
    policy,
    steps: [
      {
        name: 'reserve',
        run: (data) => reserve(inventory, data),
        undo: async (data, unknown) => {
          if (unknown) await releaseUnknown(inventory, data);
          else await releaseReservation(inventory, data.orderId, data.reservationId);
          return {};
        },
      },
      {
        name: 'charge',
        run: (data) => charge(payment, data),
        undo: async (data, unknown) => {
          if (unknown) await refundUnknown(payment, data);
          else await refundPayment(payment, data);
          return {};
        },
        assumedDone: ({ orderId, total }) =>
          total.amount === 0 ? {} : { paymentId: paymentIdOf(orderId) },
      },
      // Given up, it is released: a committed reservation gives its goods back as well.
      { name: 'commit', run: (data) => commit(inventory, data), assumedDone: () => ({}) },
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
