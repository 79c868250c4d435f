/** What every benchmark of the project shares. */
export * from './child.ts';
export * from './command.ts';
export * from './load.ts';
export * from './machine.ts';
export * from './median.ts';
export * from './report.ts';
export * from './result.ts';
export * from './table.ts';
