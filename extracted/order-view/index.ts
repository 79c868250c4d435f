/** The order view: for those that run it, and for its tests. */
export { buildApp } from './app.ts';
export { ensureProjection } from './generations.ts';
export { startReplay } from './replay.ts';
export { createOrderView } from './subscriber.ts';
