/** Whether a service keeps the protocol of docs/your-service.md, as far as can be seen from outside. */
export type { ScratchDatabase } from './scratch.ts';
