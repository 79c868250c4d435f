/** Part of `scripts/prepare.js` before tests: sees to it that there is a PostgreSQL server. */
import { findPostgres, PostgresMissing } from './postgres-find.ts';
import { prepare } from './prepare.ts';

await prepare('FIG_TEST_POSTGRES_URL', PostgresMissing, (log) => findPostgres({ log }));
