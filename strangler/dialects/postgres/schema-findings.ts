import type { Finding } from '../../check/reference.ts';
import type { SchemaRow } from './schema-query.ts';
import { name } from './values.ts';

/** A trigger of a statement fires for the table that the statement names, and for no other. */
export function findingsOf(row: SchemaRow): readonly Finding[] {
  const { kind, inherits, hidden, twins, schema, diverted } = row;
  const findings: Finding[] = [...permanence(row)];
  if (kind !== 'r' || inherits) {
    findings.push([
      'not_a_table',
      'is a view, a partition, or has parts: rows could be written past it',
    ]);
  }
  if (hidden !== null) {
    findings.push([
      'row_security',
      `has row-level security, which hides rows from ${hidden}: what it does not see would be lost; ` +
        `let it see all of them: ALTER ROLE ${name(hidden)} BYPASSRLS`,
    ]);
  }
  if (twins.length > 0) {
    findings.push([
      'ambiguous_table',
      `is also the name of a table in schema ${twins.join(', ')}, and the engine finds the one in schema ` +
        `${schema}: sessions whose search_path differs write to the other one; ` +
        'rename one of them, or say which in the URL: ?options=-csearch_path%3D...',
    ]);
  }
  if (diverted) {
    findings.push([
      'rules',
      'has rules (CREATE RULE), which make other writes of those to it; drop them',
    ]);
  }
  return findings;
}

/** Rows that are lost in a crash are deleted without any trigger, and still there on the other side. */
function permanence({ persistence, table }: SchemaRow): readonly Finding[] {
  if (persistence === 'p') return [];
  const kind = persistence === 't' ? 'temporary' : 'UNLOGGED';
  const remedy =
    persistence === 't' ? 'make it a permanent one' : `ALTER TABLE ${table} SET LOGGED`;
  return [['not_permanent', `is ${kind}: a crash empties it, which nothing captures; ${remedy}`]];
}

/**
 * Rows are applied and copied table by table, so a reference may lead to a row that is still to come.
 * Only the setting by which replicas work keeps the database from asking.
 */
export function referenceFindings(
  { refers, indexes }: SchemaRow,
  unable: string | null,
): readonly Finding[] {
  if (!refers) return [];
  const late = indexes.find(({ unique, deferrable }) => unique && deferrable === true);
  if (late !== undefined) {
    return [
      [
        'deferrable',
        `has foreign keys, and a unique key (${late.columns.join(', ')}) that is only asked for at the ` +
          'end of a transaction: the setting under which rows are applied to such tables would let the ' +
          'same value pass twice; make it NOT DEFERRABLE',
      ],
    ];
  }
  if (unable === null) return [];
  return [
    [
      'references',
      'has foreign keys, which must not be asked for while rows come table by table; let ' +
        `${unable} set session_replication_role (since PostgreSQL 15: ` +
        `GRANT SET ON PARAMETER session_replication_role TO ${unable})`,
    ],
  ];
}
