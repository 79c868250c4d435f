/** The declaration language for what moves: tables joined one to one, columns with a way back. */
export * from './broken-text.ts';
export * from './check.ts';
export * from './codec.ts';
export * from './compare.ts';
export * from './disjoint.ts';
export * from './equal-by.ts';
export * from './column-pair.ts';
export * from './mapping.ts';
export type * from './problem.ts';
export * from './root.ts';
export * from './row-json.ts';
export * from './translate.ts';
export * from './sql-value.ts';
