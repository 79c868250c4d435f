/** What the benchmarks of the data engine share. */
export * from './plane.ts';
export * from './rows.ts';
