/** What the benchmarks of the data engine share. */
export * from './by-hand.ts';
export * from './replication.ts';
export * from './rows.ts';
