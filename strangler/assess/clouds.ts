import type { ManagedNote } from './report.ts';
import type { Cloud, Survey } from './survey.ts';

const NAMES: Readonly<Record<Cloud, string>> = {
  rds: 'Amazon RDS and Aurora',
  cloudsql: 'Google Cloud SQL',
  azure: 'Azure Database for PostgreSQL',
};

/** The role that administers a server there, in place of a superuser. */
const ADMINS: Readonly<Record<Cloud, string>> = {
  rds: 'rds_superuser',
  cloudsql: 'cloudsqlsuperuser',
  azure: 'azure_pg_admin',
};

interface Needs {
  /** Whether rows are applied to tables with foreign keys. */
  readonly replicaRole: boolean;
  /** Whether policies hide rows from the user. */
  readonly bypassRls: boolean;
}

/**
 * What can't be had without a superuser, and what then. Roles by the vendors' documents, the rest not tried; the statement
 * that decides is named, so that it can be tried there.
 */
export function managedNotes({ cloud, user }: Survey, needs: Needs): readonly ManagedNote[] {
  if (user === null) return [];
  return (Object.keys(NAMES) as Cloud[]).map((each) => ({
    cloud: each,
    name: NAMES[each],
    here: each === cloud,
    notes: [
      `${ADMINS[each]} grants memberships and rights on schemas: run the statements above as its member`,
      ...(needs.replicaRole ? [replicaNote(each, user)] : []),
      ...(needs.bypassRls ? [rlsNote(each, user)] : []),
    ],
  }));
}

function replicaNote(cloud: Cloud, user: string): string {
  return (
    `foreign keys: try GRANT SET ON PARAMETER session_replication_role TO ${user} as ${ADMINS[cloud]} (PostgreSQL 15 ` +
    `and newer); before, or where it is refused, try SET session_replication_role = replica as a member of ` +
    `${ADMINS[cloud]} and let the engine connect as such a member; where that is refused, too, drop the foreign keys ` +
    'of the moved tables for the time of the migration'
  );
}

function rlsNote(cloud: Cloud, user: string): string {
  const azure =
    cloud === 'azure'
      ? 'since PostgreSQL 16 azure_pg_admin may give BYPASSRLS; before, '
      : `ALTER ROLE ${user} BYPASSRLS may be refused to ${ADMINS[cloud]}; then `;
  return `row-level security: ${azure}let the engine connect as the owner of the tables, from whom policies hide nothing without FORCE`;
}
