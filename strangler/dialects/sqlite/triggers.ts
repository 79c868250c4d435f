import type { SideName } from '../../../routing/side.ts';
import { imageColumnsOf, keyColumnsOf, tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { feedTable, NOW_SQL } from './tables.ts';
import { cohortOf, refusesSql, stateSql, touched } from './cohort-sql.ts';
import type { Cohort } from './cohort-sql.ts';
import type { UniqueRule } from './unique-rules.ts';
import { imageSql, name, text } from './values.ts';

/** What capture has to know of a table. */
export interface CapturedTable {
  readonly columns: readonly string[];
  /** Its unique indexes, the primary key included. */
  readonly rules: readonly UniqueRule[];
  /** Columns of its unique indexes that are over columns alone, the primary key included. */
  readonly unique: readonly (readonly string[])[];
  /** By which name its rows have a number of their own that is no column; null where they have none. */
  readonly rowid: string | null;
  /** Whether it has triggers that are not Fig's: they may write to the row that was just written. */
  readonly busy: boolean;
  /** Columns whose types leave numbers as they are. */
  readonly free: ReadonlySet<string>;
  /** Whether writes that come past the capability's door are counted. */
  readonly watched: boolean;
}

/** What a trigger is for, as its name says. */
export const TRIGGER_PURPOSES = [
  'fence',
  'capture',
  'rivals',
  'numbered',
  'watch',
  'guard',
] as const;
type Purpose = (typeof TRIGGER_PURPOSES)[number];

const EVENTS = ['insert', 'update', 'delete'] as const;
type Event = (typeof EVENTS)[number];

interface TableTriggers {
  readonly capability: string;
  readonly table: string;
  readonly key: readonly string[];
  readonly image: readonly string[];
  readonly columns: readonly string[];
  /** Unique indexes by which REPLACE may delete a row with another key. */
  readonly rivals: readonly UniqueRule[];
  readonly rowid: string | null;
  readonly busy: boolean;
  readonly free: ReadonlySet<string>;
  /** The column by which single keys may move; and every unique index, the primary key included. */
  readonly cohort: Cohort | undefined;
}

/**
 * The triggers of one side, as SQL by name: fences that stop business writes to a database which
 * is not the owner, and capture that writes each change to the feed in its own transaction. Rows
 * written by the applier pass both: it sets fig_clock.applying inside its transaction.
 */
export function triggersOf(
  mapping: Mapping,
  side: SideName,
  inspect: (table: string) => CapturedTable,
): ReadonlyMap<string, string> {
  const triggers = new Map<string, string>();
  for (const table of tablesOf(mapping, side)) {
    const key = keyColumnsOf(mapping, side, table);
    const { columns, unique, rules, rowid, busy, free, watched } = inspect(table);
    const of: TableTriggers = {
      capability: mapping.capability,
      table,
      key,
      image: imageColumnsOf(mapping, side, table),
      columns,
      rivals: rules.filter((rule) => rule.columns === null || !sameColumns(rule.columns, key)),
      rowid,
      busy,
      free,
      cohort: cohortOf(mapping, side, unique),
    };
    for (const event of EVENTS) {
      add(triggers, of, 'fence', event, 'BEFORE', fence(of, event));
      if (of.cohort) add(triggers, of, 'guard', event, 'BEFORE', guard(of, of.cohort, event));
      add(triggers, of, 'capture', event, 'AFTER', capture(of, event));
      if (event !== 'delete' && hasRivals(of)) {
        const alone = of.rivals.length === 0;
        // Names are enough for SQLite: updates that give no number pay nothing.
        const clause = alone && event === 'update' ? ' OF rowid, _rowid_, oid' : '';
        add(triggers, of, 'rivals', event, 'BEFORE', rivals(of, event), clause);
        if (alone) add(triggers, of, 'numbered', event, 'AFTER', numbered(of, event), clause);
      }
      if (watched) add(triggers, of, 'watch', event, 'AFTER', watch(of, event));
    }
  }
  return triggers;
}

interface Body {
  readonly when: string;
  readonly statements: readonly string[];
}

function add(
  triggers: Map<string, string>,
  { capability, table }: TableTriggers,
  purpose: Purpose,
  event: Event,
  time: 'BEFORE' | 'AFTER',
  { when, statements }: Body,
  clause = '',
): void {
  const trigger = `fig_${capability}_${purpose}_${event}_${table}`;
  triggers.set(
    trigger,
    `CREATE TRIGGER ${name(trigger)} ${time} ${event.toUpperCase()}${clause} ON ${name(table)}\n` +
      `WHEN ${when}\nBEGIN\n${statements.map((sql) => `  ${sql};\n`).join('')}END`,
  );
}

function sameColumns(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((column) => right.includes(column));
}

/** What `fig_clock.applying` holds while rows of the other side are applied, and while that is tried. */
export const APPLYING = 1;
export const TRYING = 2;

/** How the refusal of a row begins whose key this side owns itself. */
const OWNED_HERE = 'OWNED HERE';

const NOT_APPLYING = `(SELECT applying FROM fig_clock WHERE id = 1) = 0`;

function fenceColumn(capability: string, column: 'state' | 'epoch' | 'watch'): string {
  return `(SELECT ${column} FROM fig_fence WHERE capability = ${text(capability)} AND key = '*')`;
}

function fence({ capability, table, cohort }: TableTriggers, event: Event): Body {
  // RAISE takes a literal only in older releases, so epoch and owner are for fig status to say.
  const message = `FENCED: ${capability} is not owned by this database; see fig status`;
  const refused = cohort
    ? refusesSql(capability, table, cohort, event)
    : `${fenceColumn(capability, 'state')} IS NOT 'open'`;
  return {
    when: `${NOT_APPLYING} AND ${refused}`,
    statements: [`SELECT RAISE(ABORT, ${text(message)})`],
  };
}

/**
 * Rows that come from the other side are of keys that it owns: whoever brings others is a zombie, or
 * one of the databases is its own restored backup. While something is only tried, owners take rows, too.
 */
function guard({ capability }: TableTriggers, cohort: Cohort, event: Event): Body {
  const owned = touched(cohort, event).map((key) => `${stateSql(capability, key)} IS 'open'`);
  return {
    when: `(SELECT applying FROM fig_clock WHERE id = 1) = ${APPLYING} AND (${owned.join(' OR ')})`,
    statements: [
      `SELECT RAISE(ABORT, ${text(`${OWNED_HERE}: ${capability} owns the key itself`)})`,
    ],
  };
}

/**
 * Counts a write whose transaction has not said that it came by the door. Two statements: with an
 * upsert, the policy of a REPLACE that fired the trigger would go before its own.
 */
function watch({ capability, table }: TableTriggers, event: Event): Body {
  const of = `capability = ${text(capability)} AND tbl = ${text(table)} AND op = ${text(event)}`;
  return {
    when: `${NOT_APPLYING} AND ${fenceColumn(capability, 'watch')} = 1`,
    statements: [
      `INSERT INTO fig_trespass (capability, tbl, op, writes, first, newest)\n` +
        `    SELECT ${text(capability)}, ${text(table)}, ${text(event)}, 0, ${NOW_SQL}, ${NOW_SQL}\n` +
        `    WHERE NOT EXISTS (SELECT 1 FROM fig_trespass WHERE ${of})`,
      `UPDATE fig_trespass SET writes = writes + 1, newest = ${NOW_SQL} WHERE ${of}`,
    ],
  };
}

function capture(of: TableTriggers, event: Event): Body {
  const { key, free } = of;
  const oldKey = imageSql('OLD', key, free);
  const newKey = imageSql('NEW', key, free);
  const statements: string[] = [];
  if (event !== 'delete' && of.rivals.length > 0) statements.push(...recordReplaced(of));
  if (event === 'delete') statements.push(record(of, 'delete', oldKey, 'NULL'));
  if (event === 'update') {
    const changed = key.map((column) => `OLD.${name(column)} IS NOT NEW.${name(column)}`);
    statements.push(record(of, 'delete', oldKey, 'NULL', `WHERE ${changed.join(' OR ')}`));
  }
  if (event !== 'delete') statements.push(recordRow(of, newKey));
  return { when: NOT_APPLYING, statements };
}

/**
 * Where another trigger may have written to the row by now, its own capture came first: NEW would
 * then be older than what the feed says already, so the row is read as it is.
 */
function recordRow(of: TableTriggers, newKey: string): string {
  const { table, key, image, busy, free } = of;
  if (!busy) return record(of, 'upsert', newKey, imageSql('NEW', image, free));
  const same = key.map((column) => `t.${name(column)} IS NEW.${name(column)}`);
  const from = `FROM ${name(table)} t WHERE ${same.join(' AND ')}`;
  return record(of, 'upsert', imageSql('t', key, free), imageSql('t', image, free), from);
}

function record(
  { capability, table }: TableTriggers,
  op: 'upsert' | 'delete',
  key: string,
  image: string,
  rest = '',
): string {
  return (
    `INSERT INTO ${name(feedTable(capability))} (tx, tbl, key, op, image, epoch, at)\n` +
    `    SELECT (SELECT tx FROM fig_clock WHERE id = 1), ${text(table)}, ${key}, '${op}',\n` +
    `      ${image}, ${fenceColumn(capability, 'epoch')}, ${NOW_SQL} ${rest}`
  );
}

/**
 * Without recursive_triggers, which a hand-typed session has not set, REPLACE deletes rows that
 * hold the new row's unique values and fires no trigger for them. So note them before; when the
 * row has been written, whoever held its unique values is gone.
 */
function rivals(of: TableTriggers, event: Event): Body {
  const table = text(of.table);
  const self = event === 'update' ? 'OLD' : 'NEW';
  const other = of.key.map((column) => `t.${name(column)} IS NOT ${self}.${name(column)}`);
  const found = rivalConditions(of).map(
    (condition) =>
      `INSERT INTO fig_replaced (tbl, key) SELECT ${table}, ${imageSql('t', of.key, of.free)}\n` +
      `    FROM ${name(of.table)} t WHERE ${condition} AND (${other.join(' OR ')})`,
  );
  return {
    // A row's number is hardly ever given, which is asked first: it costs least.
    when: of.rivals.length > 0 ? NOT_APPLYING : `${isNumbered(of, event)} AND ${NOT_APPLYING}`,
    statements: [`DELETE FROM fig_replaced WHERE tbl = ${table}`, ...found],
  };
}

function recordReplaced(of: TableTriggers): readonly string[] {
  return [
    record(of, 'delete', 'r.key', 'NULL', `FROM fig_replaced r WHERE r.tbl = ${text(of.table)}`),
    `DELETE FROM fig_replaced WHERE tbl = ${text(of.table)}`,
  ];
}

/** Whether a row was given a number by whoever writes it; before it is inserted, others have -1. */
function isNumbered({ rowid }: TableTriggers, event: Event): string {
  return event === 'update' ? `NEW.${rowid} IS NOT OLD.${rowid}` : `NEW.${rowid} <> -1`;
}

/**
 * Apart from capture, which most writes would pay for. A row that goes by its number alone holds nothing
 * that the new one is to have on the other side, so it does not matter which of them is recorded first.
 */
function numbered(of: TableTriggers, event: Event): Body {
  const noted = `EXISTS (SELECT 1 FROM fig_replaced WHERE tbl = ${text(of.table)})`;
  return {
    when: `${event === 'update' ? isNumbered(of, event) : noted} AND ${NOT_APPLYING}`,
    statements: recordReplaced(of),
  };
}

function hasRivals(of: TableTriggers): boolean {
  return of.rivals.length > 0 || of.rowid !== null;
}

/** What holds of rows that stand in the way of the new one, by each unique index, and by its number. */
function rivalConditions({ columns, rivals: rules, rowid }: TableTriggers): readonly string[] {
  const fresh = `(SELECT ${columns.map((c) => `NEW.${name(c)} AS ${name(c)}`).join(', ')})`;
  const byIndex = rules.map(({ columns: plain, parts, where }) => {
    if (plain !== null) {
      return plain.map((column) => `t.${name(column)} = NEW.${name(column)}`).join(' AND ');
    }
    // Names without a table are the table's own here, and the new row's in there.
    const same = parts.map((part) => `(${part}) = (SELECT ${part} FROM ${fresh})`);
    return [
      ...same,
      ...(where === null ? [] : [`(${where})`, `(SELECT ${where} FROM ${fresh})`]),
    ].join(' AND ');
  });
  return rowid === null ? byIndex : [...byIndex, `t.${rowid} = NEW.${rowid}`];
}
