/** Everything the engine says to PostgreSQL. */
export { PostgresSideDatabase } from './side-database.ts';
