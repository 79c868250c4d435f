/** Several processes at one port. */
export { runPrimary } from './primary.ts';
export { runWorker } from './worker.ts';
