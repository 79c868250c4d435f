/** What the configuration says of a request: which capability it is about, and what it changes. */
export { Indexes } from './capability.ts';
export type { Capability } from './capability.ts';
export { compileRoutes, countedFor } from './match.ts';
export { RouteTable } from './routes.ts';
export type { Match, ReadMatch, Routes, WriteMatch } from './match.ts';
export { PathRules } from './path-rules.ts';
