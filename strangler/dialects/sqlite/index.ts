/** Everything the engine says to SQLite. */
export { SqliteInspector } from './inspector.ts';
export { missingRights } from './rights.ts';
export { openSqliteScratch } from './scratch.ts';
export { SqliteSideDatabase } from './side-database.ts';
export { surveySqlite } from './survey.ts';
