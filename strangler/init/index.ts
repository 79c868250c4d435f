/** Proposes a capability from what a database says of itself, and writes a configuration for it. */
export { writeConfiguration } from './init.ts';
export type { InitResult } from './init.ts';
export { proposalsFor } from './propose.ts';
export type { Proposal } from './propose.ts';
export { routesIn } from './routes.ts';
export { surveyOf } from '../sides/sides.ts';
