/** Which capability a request is about, and whose rows. */
export { Indexes, compileRoutes } from './capability.ts';
export type { Capability, Routes } from './capability.ts';
export { keyOf } from './cohort-key.ts';
export type { Asker } from './cohort-key.ts';
