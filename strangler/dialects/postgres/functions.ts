import type { SideName } from '../../../routing/side.ts';
import { imageColumnsOf, keyColumnsOf, tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { captureBody, note } from './capture-body.ts';
import { ourName } from './tables.ts';
import { name, NOW_SQL, text } from './values.ts';
import type { ImageColumn } from './values.ts';

/** What capture has to know of a table. */
export interface CapturedTable {
  readonly columns: readonly ImageColumn[];
  /** Whether it has triggers that are not Fig's: they may write to the row that was just written. */
  readonly busy: boolean;
}

/** The SQLSTATE of a write that reached a database which is not the owner. */
export const FENCED_STATE = 'FENCE';

/** The same for rows of the other side whose key this side owns itself, and how it is said. */
export const OWNED_STATE = 'FOWNS';
const OWNED_HERE = 'OWNED HERE';

/** Says that what is applied is taken back, whoever owns it. */
export const TRYING = `SET LOCAL fig.trying = 'on'`;

/** The session setting that says that rows come from the owner, so that fences let them pass. */
export const APPLYING = `SET LOCAL fig.applying = 'on'`;

/** Ends that before the transaction does: fences, capture and foreign keys see what is written from here on. */
export const NO_LONGER_APPLYING = `SET LOCAL fig.applying = 'off'; SET LOCAL session_replication_role = origin`;

/** What a trigger asks before it runs at all. */
export const NOT_APPLYING = `current_setting('fig.applying', true) IS DISTINCT FROM 'on'`;

/**
 * What a trigger that watches asks: whether the transaction did not say that it came by the door, as
 * the guards of the capability's own programs do for theirs.
 */
export const PAST_THE_DOOR = (capability: string): string =>
  `${NOT_APPLYING} AND current_setting('fig.door', true) IS DISTINCT FROM ${text(capability).trim()}`;

/** Reads a fence so that it stays as it is until the transaction ends. */
export const PASS_FUNCTION = 'fig_fence_held';

/** Keeps a fence where it is while somebody holds it. */
export const MOVE_FUNCTION = 'fig_fence_moves';

/** A function of Fig's as it should be. */
export interface WantedFunction {
  readonly signature: string;
  readonly sql: string;
  /** Whether all capabilities of the database use it. */
  readonly shared: boolean;
}

/** The functions of one side. */
export function functionsOf(
  mapping: Mapping,
  side: SideName,
  searchPath: string,
  inspect: (table: string) => CapturedTable,
): readonly WantedFunction[] {
  const { capability } = mapping;
  const made = (called: string, body: string): WantedFunction => ({
    signature: `${name(called)}()`,
    sql: createFunction(`${name(called)}()`, 'trigger', body, searchPath),
    shared: false,
  });
  const cohort = mapping.cohortKey?.[side];
  const captures = tablesOf(mapping, side).map((table) => {
    const { columns, busy } = inspect(table);
    const pick = (names: readonly string[]): ImageColumn[] =>
      names.map(
        (column) => columns.find((c) => c.name === column) ?? { name: column, kind: 'text' },
      );
    const key = pick(keyColumnsOf(mapping, side, table));
    const image = pick(imageColumnsOf(mapping, side, table));
    const body = captureBody({ capability, table, key, image, busy });
    return made(captureFunction(capability, table), body);
  });
  return [
    ...sharedFunctions(searchPath),
    made(fenceFunction(capability), fenceBody(capability, cohort !== undefined)),
    ...(cohort === undefined ? [] : [made(keysFunction(capability), keysBody(capability, cohort))]),
    made(watchFunction(capability), watchBody(capability)),
    ...captures,
  ];
}

/** Those that read a fence and keep it, and that move it: the same for all capabilities. */
export function sharedFunctions(searchPath: string): readonly WantedFunction[] {
  const out = 'OUT state text, OUT epoch bigint';
  const shared = (signature: string, returns: string, body: string): WantedFunction => ({
    signature,
    sql: createFunction(signature, returns, body, searchPath),
    shared: true,
  });
  return [
    shared(`${name(PASS_FUNCTION)}(asked text, ${out})`, 'record', PASS_BODY),
    shared(`${name(PASS_FUNCTION)}(asked text, asked_key text, ${out})`, 'record', PASS_KEY_BODY),
    shared(`${name(MOVE_FUNCTION)}()`, 'trigger', MOVE_BODY),
  ];
}

export function fenceFunction(capability: string): string {
  return ourName(capability, 'fence');
}

/** Checks whose rows a statement has touched. */
export function keysFunction(capability: string): string {
  return ourName(capability, 'keys');
}

export function watchFunction(capability: string): string {
  return ourName(capability, 'watch');
}

export function captureFunction(capability: string, table: string): string {
  return ourName(capability, 'capture', table);
}

/**
 * Runs as who installed it, so that those who write need no rights on Fig's tables, and with settings
 * of its own, so that what it writes does not depend on the session's.
 */
function createFunction(
  signature: string,
  returns: string,
  body: string,
  searchPath: string,
): string {
  return (
    `CREATE OR REPLACE FUNCTION ${signature} RETURNS ${returns}\n` +
    `LANGUAGE plpgsql SECURITY DEFINER\n` +
    `SET search_path = ${searchPath}, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'\n` +
    `SET intervalstyle = 'postgres' SET extra_float_digits = 1\n` +
    `AS $fig$\n${body}\n$fig$`
  );
}

/**
 * One number for each capability, to lock by. Whoever writes holds it shared, whoever moves the fence
 * exclusively: the lock manager serves them in the order of their coming, so that writers who follow
 * one another can't keep the fence from closing, as they could with a lock of the row.
 */
const lockOf = (capability: string): string => `hashtextextended('fig fence ' || ${capability}, 0)`;

/**
 * A transaction whose snapshot is older than its lock would read the fence as it was. Locking the row
 * tells: it fails (40001) if the row has changed since. A moment is enough, since the fence can't move
 * any more: so the lock of the row is given back at once, by a subtransaction that is rolled back.
 */
const PASS_BODY = `BEGIN
  PERFORM pg_advisory_xact_lock_shared(${lockOf('asked')});
  IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
    BEGIN
      PERFORM FROM fig_fence f WHERE f.capability = asked AND f.key = '*' FOR SHARE;
      RAISE EXCEPTION USING ERRCODE = 'FIGOK';
    EXCEPTION WHEN SQLSTATE 'FIGOK' THEN NULL;
    END;
  END IF;
  SELECT f.state, f.epoch INTO state, epoch FROM fig_fence f
    WHERE f.capability = asked AND f.key = '*';
END`;

/** The same for one key, whose fence is its own row if there is one. */
const PASS_KEY_BODY = `BEGIN
  SELECT held.state, held.epoch INTO state, epoch FROM ${PASS_FUNCTION}(asked) held;
  SELECT f.state, f.epoch INTO state, epoch FROM fig_fence f
    WHERE f.capability = asked AND f.key IN (asked_key, '*') ORDER BY f.key = '*' LIMIT 1;
END`;

/**
 * Also for whoever moves the fence by hand. The row of the rest is the one that is locked for all. A new epoch alone waits for nobody: a handover that could
 * not close the fence is taken back while the transaction that kept it goes on.
 */
const MOVE_BODY = `BEGIN
  IF OLD.state IS DISTINCT FROM NEW.state THEN
    PERFORM pg_advisory_xact_lock(${lockOf('OLD.capability')});
  END IF;
  IF OLD.key <> '*' THEN
    PERFORM FROM fig_fence f WHERE f.capability = OLD.capability AND f.key = '*' FOR NO KEY UPDATE;
  END IF;
  RETURN NEW;
END`;

/** Where keys have fences of their own, a statement passes that may be about one which is open. */
function fenceBody(capability: string, byKey: boolean): string {
  const open = `(SELECT FROM fig_fence f WHERE f.capability = ${text(capability)} AND f.state = 'open')`;
  const shut = `(SELECT FROM fig_fence f WHERE f.capability = ${text(capability)} AND f.state <> 'open')`;
  const refused = byKey
    ? `NOT EXISTS ${open} OR (TG_OP = 'TRUNCATE' AND EXISTS ${shut})`
    : `fence.state IS DISTINCT FROM 'open'`;
  return `DECLARE
  fence record;
BEGIN
  SELECT * INTO fence FROM ${name(PASS_FUNCTION)}(${text(capability)});
  IF ${refused} THEN
    ${raiseFenced(capability, 'fence')}
  END IF;
  RETURN NULL;
END`;
}

function raiseFenced(capability: string, fence: string): string {
  return `RAISE EXCEPTION 'FENCED: % is % in this database at epoch %',
      ${text(capability)}, coalesce(${fence}.state, 'unknown'), ${fence}.epoch
      USING ERRCODE = '${FENCED_STATE}',
        HINT = CASE ${fence}.state WHEN 'ceded' THEN 'The other side owns it: write there.'
          ELSE 'The other side owns it, or it is being handed over; see fig status.' END;`;
}

/**
 * The keys that rows have, and had before. The business must own all of them; whoever brings rows of
 * the other side, none: he would be a zombie, or a database its own restored backup. What is only tried,
 * owners take, too. Without fences of their own all keys have passed by the statement's trigger. Where the
 * business has renamed or dropped the column, the trigger can't tell which customer owns the rows: it notes
 * that, and lets the write through, as capture does. It asks the catalog, since catching an exception would
 * take a subtransaction.
 */
function keysBody(capability: string, column: string): string {
  const cap = text(capability);
  const touched = (rows: string): string => `SELECT ${name(column)}::text FROM ${rows}`;
  return `DECLARE
  fence record;
  own boolean := ${NOT_APPLYING};
BEGIN
  IF current_setting('fig.trying', true) = 'on' OR NOT EXISTS
    (SELECT FROM fig_fence f WHERE f.capability = ${cap} AND f.key <> '*') THEN
    RETURN NULL;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = TG_RELID AND a.attname = ${text(column)}
      AND a.attnum > 0 AND NOT a.attisdropped) THEN
    ${note(cap, 'TG_TABLE_NAME', text(`column ${column}, which says whose a row is, does not exist`))};
    RETURN NULL;
  END IF;
  IF TG_OP = 'INSERT' THEN
    SELECT f.* INTO fence FROM (${touched('new_rows')}) k (key)
      ${REFUSING(cap)};
  ELSIF TG_OP = 'UPDATE' THEN
    SELECT f.* INTO fence FROM (${touched('old_rows')} UNION ${touched('new_rows')}) k (key)
      ${REFUSING(cap)};
  ELSE
    SELECT f.* INTO fence FROM (${touched('old_rows')}) k (key)
      ${REFUSING(cap)};
  END IF;
  IF fence.epoch IS NULL THEN RETURN NULL; END IF;
  IF NOT own THEN
    RAISE EXCEPTION '${OWNED_HERE}: ${capability} owns the key itself' USING ERRCODE = '${OWNED_STATE}';
  END IF;
  ${raiseFenced(capability, 'fence')}
END`;
}

const REFUSING = (capability: string): string => `CROSS JOIN LATERAL (
        SELECT g.state, g.epoch FROM fig_fence g WHERE g.capability = ${capability}
          AND g.key IN (k.key, '*') ORDER BY g.key = '*' LIMIT 1) f
      WHERE (f.state = 'open') <> own LIMIT 1`;

/** Each session counts for itself: a write that bypasses the application does not wait for another such write. */
function watchBody(capability: string): string {
  return `BEGIN
  INSERT INTO fig_trespass AS known (capability, tbl, op, session, who, writes, first, newest)
    SELECT ${text(capability)}, TG_TABLE_NAME, lower(TG_OP), pg_backend_pid(),
      session_user || coalesce(' (' || nullif(current_setting('application_name', true), '') || ')', ''),
      count(*), ${NOW_SQL}, ${NOW_SQL} FROM touched HAVING count(*) > 0
    ON CONFLICT (capability, tbl, op, session, who) DO UPDATE
      SET writes = known.writes + excluded.writes, newest = excluded.newest;
  RETURN NULL;
END`;
}
