import { HEADERS } from './headers.ts';
import type { FieldError } from './problem.ts';
import { PROBLEMS } from './problems.ts';
import type { ProblemCode } from './problems.ts';

/**
 * A business refusal in the contract's words. Whoever serves the contract answers these, so that a
 * client cannot tell the two sides of a migration apart by their wording.
 */
export interface Refusal {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

function refusal(
  code: ProblemCode,
  detail: string,
  members: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return { status: PROBLEMS[code].status, code, detail, members, headers };
}

function list(names: readonly string[]): string {
  return names.join(', ');
}

const AGAIN_SOON = { [HEADERS.retryAfter]: '1' };
const AGAIN_LATER = { [HEADERS.retryAfter]: '60' };

/**
 * @param items the lines as they were asked for
 * @param unknown the SKUs among them that do not exist
 */
export function unknownSku(items: readonly { sku: string }[], unknown: Iterable<string>): Refusal {
  const missing = new Set(unknown);
  const errors = items.flatMap(({ sku }, index): FieldError[] =>
    missing.has(sku)
      ? [
          {
            field: `items.${index}.sku`,
            value: sku,
            message: 'is no SKU that we know',
            remedy: 'use a SKU of GET /api/products',
          },
        ]
      : [],
  );
  return refusal('unknown_sku', `unknown SKU: ${list([...missing].sort())}`, { errors });
}

export function unknownCustomer(customerId: string): Refusal {
  const errors: FieldError[] = [
    {
      field: 'customerId',
      value: customerId,
      message: 'is no customer that we know',
      remedy: 'use the id of a customer',
    },
  ];
  return refusal('unknown_customer', `unknown customer: ${customerId}`, { errors });
}

/** @param skus those that fall short; answered in byte order */
export function outOfStock(skus: readonly string[], orderId?: string): Refusal {
  const sorted = [...skus].sort();
  return refusal('out_of_stock', `not enough in stock of ${list(sorted)}; nothing was reserved`, {
    ...(orderId === undefined ? {} : { orderId }),
    skus: sorted,
  });
}

export function insufficientStock(sku: string): Refusal {
  return refusal('insufficient_stock', `${sku} would have less on hand than is reserved`);
}

export function alreadyReserved(orderId: string, reservationId: string): Refusal {
  return refusal('already_reserved', `order ${orderId} has a reservation already`, {
    reservationId,
  });
}

export function reservationReleased(reservationId: string): Refusal {
  return refusal(
    'reservation_released',
    `reservation ${reservationId} was released and cannot be committed`,
  );
}

export function paymentDeclined(ids: { paymentId?: string; orderId?: string }): Refusal {
  return refusal('payment_declined', 'the provider declined the charge', ids);
}

export function paymentPending(paymentId: string): Refusal {
  return refusal(
    'payment_pending',
    'the provider has not answered yet; send the same request with the same key again',
    { paymentId },
    AGAIN_SOON,
  );
}

export function refundExceedsPayment(paymentId: string, leftMinor: number): Refusal {
  return refusal(
    'refund_exceeds_payment',
    `payment ${paymentId} has ${leftMinor} minor units left to pay back`,
  );
}

export function paymentNotCaptured(paymentId: string): Refusal {
  return refusal('payment_not_captured', `payment ${paymentId} was not captured`);
}

export function orderPending(orderId: string): Refusal {
  return refusal(
    'order_pending',
    'the order is not finished yet; send the same request with the same key again',
    { orderId },
    AGAIN_SOON,
  );
}

export function orderStuck(orderId: string): Refusal {
  return refusal(
    'order_stuck',
    'the order cannot go on by itself: an operator has to decide; send the same request with the same ' +
      'key again later',
    { orderId },
    AGAIN_LATER,
  );
}

export function orderGivenUp(orderId: string): Refusal {
  return refusal(
    'order_given_up',
    'the order could not be finished and was ended by an operator; order anew',
    { orderId },
  );
}

export function orderNotCancellable(orderId: string, status: string): Refusal {
  return refusal('order_not_cancellable', `order ${orderId} is ${status}, not confirmed`);
}
