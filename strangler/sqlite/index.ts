/** Everything the engine says to SQLite. */
export { SqliteSideDatabase } from './side-database.ts';
