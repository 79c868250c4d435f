import { sha256 } from '../../../chassis/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PostgresClient } from './connection.ts';
import { lockTables } from './table-locks.ts';
import { triggerNames, triggersOf } from './triggers.ts';
import type { WantedTrigger } from './triggers.ts';
import { name, text } from './values.ts';

/** Whether a trigger is there as it should be, and works. */
export function isInPlace(
  { table, trigger, sql }: WantedTrigger,
  installed: readonly InstalledTrigger[],
): boolean {
  return installed.some(
    (known) =>
      known.table === table &&
      known.trigger === trigger &&
      known.hash === hashOf(sql) &&
      known.enabled === ALWAYS,
  );
}

/** The triggers that there should be: more of them while somebody watches who writes. */
export async function wantedTriggers(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
): Promise<readonly WantedTrigger[]> {
  const { rows } = await client.query<{ watch: number }>(
    `SELECT watch FROM fig_fence WHERE capability = $1 AND key = '*'`,
    [mapping.capability],
  );
  return triggersOf(mapping, side, (rows[0]?.watch ?? 0) > 0);
}

/**
 * Brings the installed triggers to what is wanted, and leaves alone those that are so. All tables in
 * question are locked first: whoever calls this has locked nothing yet.
 * @returns those that were not there, or that somebody had silenced, by table
 */
export async function replaceTriggers(
  client: PostgresClient,
  { capability }: Mapping,
  wanted: readonly WantedTrigger[],
): Promise<readonly string[]> {
  const installed = await installedTriggers(client, capability);
  const isSame = (trigger: WantedTrigger): boolean => isInPlace(trigger, installed);
  const missing = wanted.filter((trigger) => !isSame(trigger));
  const unwanted = installed.filter(
    (known) =>
      !wanted.some(
        (one) => one.table === known.table && one.trigger === known.trigger && isSame(one),
      ),
  );
  const relations = [
    ...unwanted.map(({ relation }) => relation),
    ...missing.map(({ table }) => name(table)),
  ];
  // To take a trigger away keeps readers out as well; to make one does not.
  const mode = unwanted.length > 0 ? 'ACCESS EXCLUSIVE' : 'SHARE ROW EXCLUSIVE';
  await lockTables(client, [...new Set(relations)], mode);
  for (const { trigger, relation } of unwanted) {
    await client.query(`DROP TRIGGER ${name(trigger)} ON ${relation}`);
  }
  for (const { table, trigger, sql } of missing) {
    await client.query(sql);
    await client.query(`ALTER TABLE ${name(table)} ENABLE ALWAYS TRIGGER ${name(trigger)}`);
    await mark(client, { table, trigger, sql });
  }
  return missing
    .filter(
      ({ table, trigger, sql }) =>
        !installed.some(
          (known) =>
            known.table === table &&
            known.trigger === trigger &&
            // Of an earlier version, and as that left it.
            known.hash !== null &&
            known.hash !== hashOf(sql) &&
            ['O', ALWAYS].includes(known.enabled),
        ),
    )
    .map(({ table, trigger }) => `${table}.${trigger}`);
}

/** Says what the trigger was made by, and what PostgreSQL made of it: it may be replaced in place. */
async function mark(client: PostgresClient, { table, trigger, sql }: WantedTrigger): Promise<void> {
  const { rows } = await client.query<{ made: string }>(
    `SELECT md5(pg_get_triggerdef(oid)) AS made FROM pg_trigger
       WHERE tgname = $1 AND tgrelid = to_regclass(quote_ident($2))`,
    [trigger, table],
  );
  const comment = `${hashOf(sql)} ${rows[0]?.made}`;
  await client.query(`COMMENT ON TRIGGER ${name(trigger)} ON ${name(table)} IS ${text(comment)}`);
}

/** As `pg_trigger` has it: fires in replicas as well. */
const ALWAYS = 'A';

function hashOf(sql: string): string {
  return `fig ${sha256(`${sql} ${ALWAYS}`).slice(0, 16)}`;
}

export interface InstalledTrigger {
  readonly table: string;
  /** The table as SQL, wherever it is. */
  readonly relation: string;
  readonly trigger: string;
  /** Of the statement that made it; null once somebody has replaced it. */
  readonly hash: string | null;
  /** 'A', which means always, unless somebody has changed that; 'O' by an earlier version. */
  readonly enabled: string;
}

/** The triggers of a capability that there are, on whatever table. */
export async function installedTriggers(
  client: PostgresClient,
  capability: string,
): Promise<readonly InstalledTrigger[]> {
  const { rows } = await client.query<InstalledTrigger>(
    `SELECT c.relname AS table, c.oid::regclass::text AS relation, t.tgname AS trigger,
         substring(obj_description(t.oid, 'pg_trigger')
           FROM '^(.*) ' || md5(pg_get_triggerdef(t.oid)) || '$') AS hash, t.tgenabled AS enabled
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
       WHERE NOT t.tgisinternal AND t.tgname = ANY ($1::text[])`,
    [triggerNames(capability)],
  );
  return rows;
}
