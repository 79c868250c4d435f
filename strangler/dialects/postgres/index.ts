/** Everything the engine says to PostgreSQL. */
export { PostgresInspector } from './inspector.ts';
export { openPostgresScratch } from './scratch.ts';
export { PostgresSideDatabase } from './side-database.ts';
export { surveyPostgres, writtenRows } from './survey.ts';
