/** What the benchmarks of the data engine share. */
export * from './by-hand.ts';
export * from './plane.ts';
export * from './rows.ts';
