import { dialectOf, sqliteFile } from '../../chassis/index.ts';
import type { Survey } from '../assess/survey.ts';
import type { SideInspector } from '../check/index.ts';
import type { ScratchDatabase } from '../conformance/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { MissingRightError } from '../check/missing-right.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import {
  openPostgresScratch,
  PostgresInspector,
  PostgresSideDatabase,
  surveyPostgres,
  writtenRows,
} from './postgres/index.ts';
import {
  missingRights,
  openSqliteScratch,
  SqliteInspector,
  SqliteSideDatabase,
  surveySqlite,
} from './sqlite/index.ts';

/** How one kind of database is opened. */
interface Opener {
  /** A file must exist; a server is first asked when something is asked of it. */
  side(url: string, mapping: Mapping, side: SideName): SideDatabase;
  /** For looking only. */
  inspector(url: string, mapping: Mapping, side: SideName): Promise<SideInspector>;
  /** For `fig conformance`, on a test system. */
  scratch(url: string): ScratchDatabase;
  /** What our user may not do with a database that could not be opened, which was told so by an error. */
  missingRights(url: string, error: unknown): readonly string[];
  /** What the database says of itself. */
  survey(url: string): Promise<Survey>;
  /** How many rows of each table were written until now; none where the database does not count. */
  writtenRows(url: string): Promise<ReadonlyMap<string, number>>;
}

const openers: Readonly<Record<ReturnType<typeof dialectOf>, Opener>> = {
  sqlite: {
    side: (...of) => new SqliteSideDatabase(...of),
    inspector: async (...of) => new SqliteInspector(...of),
    scratch: openSqliteScratch,
    missingRights: (url) => missingRights(sqliteFile(url)),
    survey: (url) => surveySqlite(sqliteFile(url)),
    writtenRows: async () => new Map(),
  },
  postgres: {
    side: (...of) => new PostgresSideDatabase(...of),
    inspector: (...of) => PostgresInspector.open(...of),
    scratch: openPostgresScratch,
    missingRights: (_, error) => (error instanceof MissingRightError ? error.missing : []),
    survey: surveyPostgres,
    writtenRows,
  },
};

/** How the kind of database is opened that a URL names. */
export function openerOf(url: string): Opener {
  return openers[dialectOf(url)];
}
