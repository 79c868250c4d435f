/** What the configuration says of a request: which capability it is about, and what it changes. */
export { Indexes, compileRoutes, countedFor } from './capability.ts';
export type { Capability, Match, ReadMatch, Routes, WriteMatch } from './capability.ts';
