/** Everything the engine says to PostgreSQL. */
export { PostgresInspector } from './inspector.ts';
export { PostgresSideDatabase } from './side-database.ts';
