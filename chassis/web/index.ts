/** What a process of ours serves over HTTP. This folder stands apart so that only servers load express. */
export type { AuditOptions } from './audited.ts';
export { hideFromCustomers, isHidden, onlyCustomerOf } from './callers.ts';
export { databaseFigure } from './database-figure.ts';
export { deadLetterFigure } from './dead-letter-figure.ts';
export type { DeadLetterCount } from './dead-letter-figure.ts';
export { processRegistry } from './metrics.ts';
export type { Figure, FigureValue } from './metrics.ts';
export * from './http-app.ts';
export * from './moved-routes.ts';
export { sagaCheck, sagaFigure } from './saga-figures.ts';
export { outboxFigures } from './outbox-figures.ts';
