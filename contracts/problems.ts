import { z } from 'zod';
import { FACADE_PROBLEMS, HTTP_PROBLEMS } from './http-problems.ts';
import { Id, Sku } from './primitives.ts';
import { common, FieldProblem, Problem } from './problem.ts';
import type { ProblemKind } from './problem.ts';
import { named } from './registry.ts';

/** Every `code` a client of the contract may meet. */
export const PROBLEMS = {
  invalid_request: {
    status: 400,
    schema: FieldProblem,
    meaning: 'a field is missing, unknown or not what it must be; `errors` names each',
  },
  malformed_json: { status: 400, schema: Problem, meaning: 'the body is not a JSON object' },
  unsupported_media_type: {
    status: 415,
    schema: Problem,
    meaning: 'the body is not application/json, by its content-type',
  },
  foreign_host: {
    status: 403,
    schema: Problem,
    meaning: 'the Host is no name of this server; its operator can list it in FIG_HOSTS',
  },
  foreign_origin: {
    status: 403,
    schema: Problem,
    meaning: 'a web page of another origin has sent the request',
  },
  token_required: {
    status: 401,
    schema: Problem,
    meaning: "the request is for operators, or for the system's own processes",
  },
  identity_required: {
    status: 401,
    schema: Problem,
    meaning: 'this server takes requests from the facade only, which signs the caller’s identity',
  },
  body_too_large: { status: 413, schema: Problem, meaning: 'the body is over 1 MB' },
  not_found: { status: 404, schema: Problem, meaning: 'there is no such thing' },
  no_such_route: { status: 404, schema: Problem, meaning: 'nothing is served at this path' },
  method_not_allowed: {
    status: 405,
    schema: Problem,
    meaning: 'the path does not take this method; the Allow header names those it takes',
  },
  idempotency_key_reused: {
    status: 422,
    schema: Problem,
    meaning: 'the Idempotency-Key came with another request before',
  },
  request_in_flight: {
    status: 409,
    schema: Problem,
    meaning: 'the request with this key is still being worked on; ask again after Retry-After',
  },
  unknown_sku: {
    status: 422,
    schema: FieldProblem,
    meaning: 'a line names a SKU that does not exist; `errors` names each',
  },
  unknown_customer: { status: 422, schema: FieldProblem, meaning: 'there is no such customer' },
  out_of_stock: {
    status: 409,
    schema: named(
      'OutOfStockProblem',
      z.strictObject({ ...common, orderId: Id.optional(), skus: z.array(Sku).min(1) }),
    ),
    meaning: 'not all lines can be had, so none was taken; `skus` names those that fall short',
  },
  insufficient_stock: {
    status: 409,
    schema: Problem,
    meaning: 'the adjustment would leave less on hand than is reserved',
  },
  already_reserved: {
    status: 409,
    schema: named('AlreadyReservedProblem', z.strictObject({ ...common, reservationId: Id })),
    meaning: 'the order has a reservation already',
  },
  reservation_released: {
    status: 409,
    schema: Problem,
    meaning: 'a released reservation cannot be committed',
  },
  payment_declined: {
    status: 402,
    schema: named(
      'PaymentDeclinedProblem',
      z.strictObject({ ...common, orderId: Id.optional(), paymentId: Id.optional() }),
    ),
    meaning: 'the provider declined the charge',
  },
  payment_pending: {
    status: 503,
    schema: named('PaymentPendingProblem', z.strictObject({ ...common, paymentId: Id })),
    meaning: 'the provider has not answered yet; the same request with the same key goes on',
  },
  refund_exceeds_payment: {
    status: 409,
    schema: Problem,
    meaning: 'more than is left of the payment',
  },
  payment_not_captured: {
    status: 409,
    schema: Problem,
    meaning: 'only a captured payment can be paid back',
  },
  order_pending: {
    status: 503,
    schema: named('OrderPendingProblem', z.strictObject({ ...common, orderId: Id })),
    meaning: 'the order is not finished yet; the same request with the same key goes on',
  },
  order_stuck: {
    status: 503,
    schema: named('OrderStuckProblem', z.strictObject({ ...common, orderId: Id })),
    meaning:
      'a step of the order is refused again and again, and an operator has to decide how it goes on; ' +
      'the same request with the same key finds its end then',
  },
  order_given_up: {
    status: 409,
    schema: named('OrderGivenUpProblem', z.strictObject({ ...common, orderId: Id })),
    meaning: 'the order could not be finished, and an operator has ended it; it is rejected',
  },
  order_not_cancellable: {
    status: 409,
    schema: Problem,
    meaning: 'only a confirmed order can be cancelled',
  },
  fenced: {
    status: 421,
    schema: named(
      'FencedProblem',
      z.strictObject({
        ...common,
        capability: z.string(),
        state: z.enum(['closed', 'ceded']),
        epoch: z.int(),
      }),
    ),
    meaning: 'this side does not own the capability and nothing happened; never seen at the facade',
  },
  moved_away: {
    status: 410,
    schema: named(
      'MovedAwayProblem',
      z.strictObject({ ...common, capability: z.string(), successor: z.url() }),
    ),
    meaning: 'this server has given the capability away for good; Link names its successor',
  },
  database_unavailable: {
    status: 503,
    schema: Problem,
    meaning:
      'the database is away, full or too busy; ask again after Retry-After, a write with the same ' +
      'Idempotency-Key: it may have happened',
  },
  internal_error: { status: 500, schema: Problem, meaning: 'something unforeseen went wrong' },
  ...HTTP_PROBLEMS,
  ...FACADE_PROBLEMS,
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof PROBLEMS;
