import type { z } from 'zod';
import { Product, ProductPage } from './catalogue.ts';
import {
  Adjustment,
  AdjustmentRequest,
  Reservation,
  ReservationRequest,
  StockLevel,
  StockLevelPage,
} from './inventory.ts';
import { Order, OrderHistory, OrderPage, OrderRequest, Shipment } from './orders.ts';
import {
  CustomerOrders,
  CustomerOrdersQuery,
  OrderViewPage,
  OrderViewQuery,
} from './order-view.ts';
import { ListQuery, OrderListQuery, PaymentListQuery } from './page.ts';
import { Payment, PaymentHistory, PaymentPage, PaymentRequest, RefundRequest } from './payment.ts';
import type { ProblemCode } from './problems.ts';

/**
 * The callers that may do something: anyone, any caller with a token, or callers with all of these scopes and one of these
 * roles. Whose things a caller sees is another question, which the services answer.
 */
export type OperationAccess =
  | 'anyone'
  | 'any token'
  | { readonly scopes?: readonly string[]; readonly roles?: readonly string[] };

/** One thing a client can do. `{name}` in a path stands for one segment. */
export interface Operation {
  readonly id: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly summary: string;
  /** Who may do it, where callers are known. An operation without an answer to that does not compile. */
  readonly access: OperationAccess;
  /** The part of the contract it belongs to, which may be served by a process of its own. */
  readonly area: 'catalogue' | 'inventory' | 'payment' | 'orders' | 'order-view';
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean };
  readonly answer: { readonly status: number; readonly schema: z.ZodType };
  /** What it may refuse with, apart from what every operation of its kind may. */
  readonly problems: readonly ProblemCode[];
}

/** Refusals of every operation that takes a query, a body, or has an effect. */
export const COMMON_PROBLEMS = {
  any: [
    'internal_error',
    'database_unavailable',
    'fenced',
    'moved_away',
    'invalid_path',
    'malformed_request',
    'duplicate_header',
    'invalid_framing',
    'unsupported_version',
    'invalid_host',
    'foreign_host',
    'foreign_origin',
    'invalid_connection',
    'rate_limited',
    'request_timeout',
    'headers_too_large',
    'facade_failed',
    'upstream_unavailable',
    'upstream_busy',
    'upstream_ill',
    'upstream_timeout',
    'unauthenticated',
    'invalid_token',
    'insufficient_scope',
    'identity_contradicted',
    'identity_required',
    'session_unknown',
  ],
  query: ['invalid_request'],
  body: [
    'invalid_request',
    'malformed_json',
    'body_too_large',
    'request_aborted',
    'unsupported_encoding',
    'unsupported_media_type',
    'unsupported_transfer_coding',
  ],
  effect: [
    'invalid_request',
    'idempotency_key_reused',
    'request_in_flight',
    'held_too_long',
    'too_many_held',
    'too_large_to_hold',
    'owner_unknown',
    'token_required',
  ],
} as const satisfies Record<string, readonly ProblemCode[]>;

const get = (
  operation: Omit<Operation, 'method' | 'answer'> & { readonly answer: z.ZodType },
): Operation => ({
  ...operation,
  method: 'GET',
  answer: { status: 200, schema: operation.answer },
});

const post = (
  status: 200 | 201,
  operation: Omit<Operation, 'method' | 'answer'> & { readonly answer: z.ZodType },
): Operation => ({ ...operation, method: 'POST', answer: { status, schema: operation.answer } });

const required = (schema: z.ZodType) => ({ schema, required: true });

const STAFF = { roles: ['staff'] } as const;

/** The whole contract. */
export const OPERATIONS: readonly Operation[] = [
  get({
    id: 'listProducts',
    access: 'anyone',
    path: '/api/products',
    summary: 'The catalogue, in the SKUs’ order.',
    area: 'catalogue',
    query: ListQuery,
    answer: ProductPage,
    problems: [],
  }),
  get({
    id: 'getProduct',
    access: 'anyone',
    path: '/api/products/{sku}',
    summary: 'One product.',
    area: 'catalogue',
    answer: Product,
    problems: ['not_found'],
  }),
  get({
    id: 'listInventory',
    access: 'anyone',
    path: '/api/inventory',
    summary: 'The stock of every SKU, in the SKUs’ order.',
    area: 'inventory',
    query: ListQuery,
    answer: StockLevelPage,
    problems: [],
  }),
  get({
    id: 'getInventory',
    access: 'anyone',
    path: '/api/inventory/{sku}',
    summary: 'The stock of one SKU.',
    area: 'inventory',
    answer: StockLevel,
    problems: ['not_found'],
  }),
  post(201, {
    id: 'adjustInventory',
    access: STAFF,
    path: '/api/inventory/{sku}/adjustments',
    summary: 'Adds to what is on hand, or takes from it.',
    area: 'inventory',
    body: required(AdjustmentRequest),
    answer: Adjustment,
    problems: ['not_found', 'insufficient_stock'],
  }),
  post(201, {
    id: 'reserve',
    access: STAFF,
    path: '/api/inventory/reservations',
    summary: 'Reserves all lines of an order, or none.',
    area: 'inventory',
    body: required(ReservationRequest),
    answer: Reservation,
    problems: ['unknown_sku', 'out_of_stock', 'already_reserved'],
  }),
  get({
    id: 'getReservation',
    access: STAFF,
    path: '/api/inventory/reservations/{id}',
    summary: 'One reservation.',
    area: 'inventory',
    answer: Reservation,
    problems: ['not_found'],
  }),
  post(200, {
    id: 'commitReservation',
    access: STAFF,
    path: '/api/inventory/reservations/{id}/commit',
    summary: 'The reserved goods leave the stock. Again: the same answer.',
    area: 'inventory',
    answer: Reservation,
    problems: ['not_found', 'reservation_released'],
  }),
  post(200, {
    id: 'releaseReservation',
    access: STAFF,
    path: '/api/inventory/reservations/{id}/release',
    summary: 'Gives the goods back; committed ones go back on hand. Again: the same answer.',
    area: 'inventory',
    answer: Reservation,
    problems: ['not_found'],
  }),
  post(201, {
    id: 'pay',
    access: { scopes: ['payments:write'] },
    path: '/api/payments',
    summary: 'Charges a card. Answers when the provider’s answer is known.',
    area: 'payment',
    body: required(PaymentRequest),
    answer: Payment,
    problems: ['payment_declined', 'payment_pending'],
  }),
  get({
    id: 'listPayments',
    access: 'any token',
    path: '/api/payments',
    summary: 'The payments of one order.',
    area: 'payment',
    query: PaymentListQuery,
    answer: PaymentPage,
    problems: [],
  }),
  get({
    id: 'getPayment',
    access: 'any token',
    path: '/api/payments/{id}',
    summary: 'One payment.',
    area: 'payment',
    answer: Payment,
    problems: ['not_found'],
  }),
  get({
    id: 'getPaymentHistory',
    access: 'any token',
    path: '/api/payments/{id}/history',
    summary: 'What has happened to one payment: its status follows from it.',
    area: 'payment',
    answer: PaymentHistory,
    problems: ['not_found'],
  }),
  post(201, {
    id: 'refund',
    access: STAFF,
    path: '/api/payments/{id}/refunds',
    summary: 'Pays back some of a payment, or all that is left.',
    area: 'payment',
    body: { schema: RefundRequest, required: false },
    answer: Payment,
    problems: ['not_found', 'payment_not_captured', 'refund_exceeds_payment', 'payment_pending'],
  }),
  post(201, {
    id: 'placeOrder',
    access: { scopes: ['orders:write'] },
    path: '/api/orders',
    summary: 'Reserves, charges and confirms an order, or refuses it as a whole.',
    area: 'orders',
    body: required(OrderRequest),
    answer: Order,
    problems: [
      'unknown_sku',
      'unknown_customer',
      'out_of_stock',
      'payment_declined',
      'order_pending',
      'order_stuck',
      'order_given_up',
    ],
  }),
  get({
    id: 'listOrders',
    access: 'any token',
    path: '/api/orders',
    summary: 'The orders of one customer.',
    area: 'orders',
    query: OrderListQuery,
    answer: OrderPage,
    problems: [],
  }),
  get({
    id: 'getOrder',
    access: 'any token',
    path: '/api/orders/{id}',
    summary: 'One order.',
    area: 'orders',
    answer: Order,
    problems: ['not_found'],
  }),
  get({
    id: 'getOrderHistory',
    access: 'any token',
    path: '/api/orders/{id}/history',
    summary: 'What has happened to one order, step by step.',
    area: 'orders',
    answer: OrderHistory,
    problems: ['not_found'],
  }),
  get({
    id: 'getShipment',
    access: 'any token',
    path: '/api/orders/{id}/shipment',
    summary:
      'What is sent for an order; there is none before the order was confirmed, and a moment longer.',
    area: 'orders',
    answer: Shipment,
    problems: ['not_found'],
  }),
  post(200, {
    id: 'cancelOrder',
    access: { scopes: ['orders:write'] },
    path: '/api/orders/{id}/cancel',
    summary: 'Cancels a confirmed order: restocks and pays back.',
    area: 'orders',
    answer: Order,
    problems: ['not_found', 'order_not_cancellable', 'order_pending', 'order_stuck'],
  }),
  get({
    id: 'listCustomerOrders',
    access: 'any token',
    path: '/api/customers/{id}/orders',
    summary:
      'The orders of one customer with payment, shipment and totals, as events have told. With the `event-position` of a ' +
      'write it waits for that, a second or as long as `prefer: wait=SECONDS` says, or answers with `behind`.',
    area: 'order-view',
    query: CustomerOrdersQuery,
    answer: CustomerOrders,
    problems: [],
  }),
  get({
    id: 'listOrderViews',
    access: STAFF,
    path: '/api/order-view',
    summary: 'The orders of all customers, in the same way.',
    area: 'order-view',
    query: OrderViewQuery,
    answer: OrderViewPage,
    problems: [],
  }),
];

/** Every problem code that an operation may answer with. */
export function problemsOf(operation: Operation): readonly ProblemCode[] {
  const codes = new Set<ProblemCode>(operation.problems);
  if (operation.query) for (const code of COMMON_PROBLEMS.query) codes.add(code);
  if (operation.body) for (const code of COMMON_PROBLEMS.body) codes.add(code);
  if (operation.method === 'POST') for (const code of COMMON_PROBLEMS.effect) codes.add(code);
  for (const code of COMMON_PROBLEMS.any) codes.add(code);
  return [...codes];
}
