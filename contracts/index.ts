/** The HTTP contract: what clients may send and what they get. Imports nothing of ours. */
export { accessRules } from './access.ts';
export { asyncApiDocument } from './asyncapi.ts';
export * from './catalogue.ts';
export * from './events.ts';
export * from './headers.ts';
export * from './inventory.ts';
export * from './inventory-v2.ts';
export * from './money.ts';
export * from './openapi.ts';
export * from './operations.ts';
export * from './order-view.ts';
export * from './orders.ts';
export {
  DEFAULT_LIMIT,
  LIST_NAMES,
  ListQuery,
  MAX_LIMIT,
  OrderListQuery,
  pageOf,
  PaymentListQuery,
} from './page.ts';
export * from './payment.ts';
export * from './primitives.ts';
export * from './http-problems.ts';
export { FieldError, FieldProblem, Problem } from './problem.ts';
export type { ProblemKind } from './problem.ts';
export * from './problems.ts';
export * from './refusals.ts';
