/** Changes that could not be applied, and what a person may do about them. */
export * from './parked.ts';
export * from './of-row.ts';
