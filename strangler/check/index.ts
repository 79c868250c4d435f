/** Whether a mapping can be trusted with two databases: proven from types, or tried on every row. */
export * from './check.ts';
export { Findings } from './findings.ts';
export type { Finding } from './findings.ts';
export type * from './inspector.ts';
export type { MeasureProgress } from './measure.ts';
export type { Inspectors } from './trip.ts';
export { checkTypes } from './types.ts';
