import { captureTable, wakeChannel } from './tables.ts';
import { imageSql, name, NOW_SQL, text } from './values.ts';
import type { ImageColumn } from './values.ts';

interface Captured {
  readonly capability: string;
  readonly table: string;
  readonly key: readonly ImageColumn[];
  readonly image: readonly ImageColumn[];
  readonly busy: boolean;
}

/**
 * What a change of the schema, or a value, may make of capture. It is noted, and blocks what may not
 * happen without a comparison of everything; the write of the business it is not to fail.
 */
const NOT_TO_FAIL = [
  'syntax_error_or_access_rule_violation',
  'data_exception',
  'feature_not_supported',
  'program_limit_exceeded',
].join(' OR ');

/**
 * A transaction that has told somebody can't be prepared for a commit in two phases. Where the server
 * allows these, nobody is told, and whoever waits looks by himself.
 */
const MAY_TELL = `current_setting('max_prepared_transactions') = '0'`;

/** One statement's changes in one go. Deletes come first: a new row may have an old one's key. */
export function captureBody(of: Captured): string {
  const { key, image, busy, capability, table } = of;
  const oldKeys = imageSql('o', key);
  const newKeys = imageSql('n', key);
  const gone =
    `SELECT ${oldKeys} FROM old_rows o WHERE NOT EXISTS ` +
    `(SELECT FROM new_rows n WHERE ${sameKey('n', 'o', key)})`;
  const rows = `SELECT ${newKeys}, ${imageSql('n', image)} FROM new_rows n`;
  const record = busy
    ? { deleted: asItIs(of, 'o', 'old_rows'), written: asItIs(of, 'n', 'new_rows') }
    : { deleted: deletes(of, `SELECT ${oldKeys} FROM old_rows o`), written: upserts(of, rows) };
  return `BEGIN
  BEGIN
    IF TG_OP = 'INSERT' THEN
      ${record.written};
    ELSIF TG_OP = 'UPDATE' THEN
      ${deletes(of, gone)};
      ${record.written};
    ELSIF TG_OP = 'DELETE' THEN
      ${record.deleted};
    ELSE
      ${deletes(of, `SELECT ${imageSql('t', key)} FROM ${name(table)} t`)};
    END IF;
  EXCEPTION WHEN ${NOT_TO_FAIL} THEN
    ${note(text(capability), text(table), 'SQLERRM')};
  END;
  IF FOUND AND ${MAY_TELL} THEN PERFORM pg_notify(${text(wakeChannel(capability))}, ''); END IF;
  RETURN NULL;
END`;
}

function sameKey(left: string, right: string, key: readonly ImageColumn[]): string {
  return key
    .map(({ name: column }) => `${left}.${name(column)} = ${right}.${name(column)}`)
    .join(' AND ');
}

function into({ capability }: Captured, select: string): string {
  return `INSERT INTO ${name(captureTable(capability))} (tbl, key, op, image, epoch)\n    ${select}`;
}

function epoch(capability: string): string {
  return `(SELECT epoch FROM fig_fence WHERE capability = ${text(capability)} AND fig_fence.key = '*')`;
}

function deletes(of: Captured, keys: string): string {
  const select = `SELECT ${text(of.table)}, d.key, 'delete', NULL, ${epoch(of.capability)}`;
  return into(of, `${select}\n    FROM (${keys}) d (key)`);
}

function upserts(of: Captured, rows: string): string {
  const select = `SELECT ${text(of.table)}, w.key, 'upsert', w.image, ${epoch(of.capability)}`;
  return into(of, `${select}\n    FROM (${rows}) w (key, image)`);
}

/**
 * Where another trigger may have written to the rows by now, its own capture came first, and what
 * this statement did is older than what the feed says already: so the rows are read as they are.
 */
function asItIs(of: Captured, alias: string, rows: string): string {
  const { table, key, image, capability } = of;
  const [first] = key;
  const present = `t.${name(first?.name ?? '')} IS NOT NULL`;
  const select =
    `SELECT ${text(table)}, ${imageSql(alias, key)}, ` +
    `CASE WHEN ${present} THEN 'upsert' ELSE 'delete' END, ` +
    `CASE WHEN ${present} THEN ${imageSql('t', image)} END, ${epoch(capability)}`;
  const from = `FROM ${rows} ${alias} LEFT JOIN ${name(table)} t ON ${sameKey('t', alias, key)}`;
  return into(of, `${select}\n    ${from}`);
}

/** Remembers since when a table's writes are not captured, or not fenced by key; the arguments are SQL. */
export function note(capability: string, table: string, reason: string): string {
  return `INSERT INTO fig_uncaptured (capability, tbl, reason, at)
      SELECT ${capability}, ${table}, ${reason}, ${NOW_SQL} WHERE NOT EXISTS
        (SELECT FROM fig_uncaptured u WHERE u.capability = ${capability} AND u.tbl = ${table})`;
}
