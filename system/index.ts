/** Runs the shop: its applications and Fig, on a data folder; and servers of databases for tests. */
export * from '../supervisor/index.ts';
export { asOperator } from './as-operator.ts';
export type { Load } from './first-load.ts';
export { createPostgresDatabase } from './postgres-database.ts';
export type { PostgresDatabase } from './postgres-database.ts';
export { PostgresMissing } from './postgres-find.ts';
export { readyText } from './ready-text.ts';
export { figProcesses } from './shop-processes.ts';
export type { ShopProcess } from './shop-processes.ts';
export { startPostgres } from './start-postgres.ts';
export type { PrivatePostgres } from './start-postgres.ts';
export { startSystem } from './start-system.ts';
export type { StartOptions } from './start-system.ts';
export { withoutSystem } from './without-system.ts';
