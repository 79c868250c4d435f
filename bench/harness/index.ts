/** What every benchmark of the project shares. */
export * from './against.ts';
export * from './child.ts';
export * from './command.ts';
export * from './interval.ts';
export * from './load.ts';
export * from './machine.ts';
export * from './median.ts';
export * from './processes.ts';
export * from './report.ts';
export * from './result.ts';
export * from './rounds.ts';
export * from './sustained.ts';
export * from './table.ts';
