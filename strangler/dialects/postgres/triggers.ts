import type { SideName } from '../../../routing/side.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import {
  captureFunction,
  fenceFunction,
  keysFunction,
  MOVE_FUNCTION,
  NOT_APPLYING,
  PAST_THE_DOOR,
  watchFunction,
} from './functions.ts';
import { ourName } from './tables.ts';
import { name } from './values.ts';

/** A trigger of Fig's as it should be. */
export interface WantedTrigger {
  readonly table: string;
  readonly trigger: string;
  readonly sql: string;
}

/** Whoever changes a fence waits for those who hold it. */
export const FENCE_TRIGGER = `CREATE OR REPLACE TRIGGER fig_fence_moves BEFORE UPDATE ON fig_fence
FOR EACH ROW EXECUTE FUNCTION ${MOVE_FUNCTION}()`;

/** What the triggers of a capability are called, on each of its tables. */
export function triggerNames(capability: string): readonly string[] {
  const purposes = [
    'fence',
    ...CAPTURED.map(([event]) => `capture_${event}`),
    ...WATCHED.map(([event]) => `watch_${event}`),
    ...KEYED.map(([event]) => `keys_${event}`),
  ];
  return purposes.map((purpose) => ourName(capability, purpose));
}

const CAPTURED = [
  ['insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows'],
  ['update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows'],
  ['delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows'],
  // The rows are still there to be named.
  ['truncate', 'BEFORE TRUNCATE', ''],
] as const;

/** Rows can only be looked at when they are there: what must not be is taken back then. */
const KEYED = CAPTURED.filter(([event]) => event !== 'truncate');

/** What was touched is called the same each time, for one function to count it. */
const WATCHED = [
  ['insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS touched'],
  ['update', 'AFTER UPDATE', 'REFERENCING NEW TABLE AS touched'],
  ['delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS touched'],
] as const;

/**
 * The triggers of one side: fences that stop business writes to a database which is not the owner,
 * and capture that writes each change down in its own transaction. All of them are triggers of
 * statements: one that matches no row meets the fence, too, and one of many rows is captured in one
 * go. What the applier writes passes both (see `APPLYING`). All of them fire ALWAYS: a session that
 * says that it is a replica is a session of the business like any other.
 * @param watched whether writes that come past the capability's door are counted
 */
export function triggersOf(
  mapping: Mapping,
  side: SideName,
  watched = false,
): readonly WantedTrigger[] {
  const { capability } = mapping;
  return tablesOf(mapping, side).flatMap((table) => {
    const wanted = (
      purpose: string,
      event: string,
      referencing: string,
      run: string,
      when = NOT_APPLYING,
    ) => {
      const trigger = ourName(capability, purpose);
      const sql =
        `CREATE TRIGGER ${name(trigger)} ${event} ON ${name(table)}\n` +
        `${referencing === '' ? '' : `${referencing}\n`}FOR EACH STATEMENT\n` +
        `WHEN (${when})\nEXECUTE FUNCTION ${name(run)}()`;
      return { table, trigger, sql };
    };
    const fence = fenceFunction(capability);
    const capture = captureFunction(capability, table);
    return [
      wanted('fence', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', '', fence),
      ...CAPTURED.map(([event, when, referencing]) =>
        wanted(`capture_${event}`, when, referencing, capture),
      ),
      ...(mapping.cohortKey ? KEYED : []).map(([event, when, referencing]) =>
        wanted(`keys_${event}`, when, referencing, keysFunction(capability), 'true'),
      ),
      ...(watched ? WATCHED : []).map(([event, when, referencing]) =>
        wanted(
          `watch_${event}`,
          when,
          referencing,
          watchFunction(capability),
          PAST_THE_DOOR(capability),
        ),
      ),
    ];
  });
}
