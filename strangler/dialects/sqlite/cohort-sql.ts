import type { Mapping } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { name, text } from './values.ts';

/** What fences by key have to know of a table. */
export interface Cohort {
  /** The column that says whose a row is. */
  readonly column: string;
  /** Unique indexes, the primary key included, by which REPLACE may delete somebody else's row. */
  readonly unique: readonly (readonly string[])[];
}

export function cohortOf(
  { cohortKey }: Mapping,
  side: SideName,
  unique: readonly (readonly string[])[],
): Cohort | undefined {
  return cohortKey && { column: cohortKey[side], unique };
}

/** The state of a key's fence: of its own row if there is one, otherwise of the row of the rest. */
export function stateSql(capability: string, key: string): string {
  const row = (of: string): string =>
    `(SELECT state FROM fig_fence WHERE capability = ${text(capability)} AND key = ${of})`;
  return `coalesce(${row(`CAST(${key} AS TEXT)`)}, ${row("'*'")})`;
}

/** The keys of the row before and after, as SQL. */
export function touched({ column }: Cohort, event: 'insert' | 'update' | 'delete'): string[] {
  return [
    ...(event === 'insert' ? [] : [`OLD.${name(column)}`]),
    ...(event === 'delete' ? [] : [`NEW.${name(column)}`]),
  ];
}

/**
 * When a row's own side must not write it: it does not own the key the row has, or had, or that of a
 * row which a REPLACE would delete without firing its trigger.
 */
export function refusesSql(
  capability: string,
  table: string,
  cohort: Cohort,
  event: 'insert' | 'update' | 'delete',
): string {
  const own = touched(cohort, event).map((key) => `${stateSql(capability, key)} IS NOT 'open'`);
  const replaced = event === 'delete' ? [] : cohort.unique.map((columns) => replacedSql(columns));
  return `(${[...own, ...replaced].join(' OR ')})`;

  function replacedSql(columns: readonly string[]): string {
    const same = columns.map((column) => `t.${name(column)} = NEW.${name(column)}`);
    const state = stateSql(capability, `t.${name(cohort.column)}`);
    return (
      `EXISTS (SELECT 1 FROM ${name(table)} t WHERE ${same.join(' AND ')} ` +
      `AND ${state} IS NOT 'open')`
    );
  }
}
