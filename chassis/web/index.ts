/** What a process of ours serves over HTTP. This folder stands apart so that only servers load express. */
export { hideFromCustomers, isHidden, onlyCustomerOf } from './callers.ts';
export { deadLetterMetrics } from './dead-letter-metrics.ts';
export type { DeadLetterCount } from './dead-letter-metrics.ts';
export * from './http-app.ts';
export * from './moved-routes.ts';
