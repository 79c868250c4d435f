/** The legacy order system, as tests and its own main build it. */
export { buildMonolith, DEFAULT_TIMING } from './app.ts';
export type { Monolith, Timing } from './app.ts';
export { startEvents } from './events.ts';
