import { LEDGER_TABLE } from '../../chassis/index.ts';
import { UNFINISHED_INDEX } from './unfinished-handovers.ts';
import type { Tx } from './dialect.ts';

/** What the columns of Fig's own tables are in one dialect. */
export interface ColumnTypes {
  /** Takes ms since 1970, positions and epochs. */
  readonly integer: string;
  readonly boolean: string;
  /** Of a primary key that grows with each row. */
  readonly identity: string;
  /** The column that `Dialect.inserted` names, with a comma before it; empty where each table has it. */
  readonly inserted: string;
}

/** Tables that all capabilities of a database share, in every dialect: what follows their names, as SQL. */
export function ledgerTables({
  integer,
  boolean,
  identity,
  inserted,
}: ColumnTypes): Readonly<Record<string, string>> {
  return {
    fig_install: `(capability TEXT PRIMARY KEY, side TEXT NOT NULL, mapping_hash TEXT NOT NULL,
    incarnation TEXT NOT NULL, complete ${boolean} NOT NULL, at ${integer} NOT NULL)`,
    fig_fence: `(capability TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'ceded')), epoch ${integer} NOT NULL,
    watch INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (capability, key))`,
    fig_applied: `(capability TEXT NOT NULL, feed_of TEXT NOT NULL, position ${integer} NOT NULL,
    at ${integer} NOT NULL, mark TEXT, PRIMARY KEY (capability, feed_of))`,
    fig_waiting: `(capability TEXT NOT NULL, pair TEXT NOT NULL, key TEXT NOT NULL,
    image TEXT NOT NULL, PRIMARY KEY (capability, pair, key))`,
    fig_parked: `(id ${identity}, capability TEXT NOT NULL, root TEXT NOT NULL,
    tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, image TEXT, position ${integer} NOT NULL,
    reason TEXT, attempts INTEGER NOT NULL, at ${integer} NOT NULL)`,
    fig_backfill: `(capability TEXT NOT NULL, pair TEXT NOT NULL, cursor TEXT,
    rows ${integer} NOT NULL, total ${integer} NOT NULL, done ${boolean} NOT NULL,
    ready_position ${integer} NOT NULL, started_at ${integer} NOT NULL, at ${integer} NOT NULL,
    PRIMARY KEY (capability, pair))`,
    fig_copy_limit: `(capability TEXT PRIMARY KEY, rows_per_second ${integer} NOT NULL)`,
    fig_lease: `(capability TEXT PRIMARY KEY, holder TEXT NOT NULL, token ${integer} NOT NULL,
    expires_at ${integer} NOT NULL)`,
    fig_peer: `(capability TEXT PRIMARY KEY, pulse ${integer} NOT NULL, other TEXT NOT NULL,
    other_pulse ${integer} NOT NULL, other_epoch ${integer} NOT NULL)`,
    fig_handover: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, from_side TEXT NOT NULL,
    to_side TEXT NOT NULL, epoch ${integer} NOT NULL, deadline ${integer} NOT NULL, position ${integer},
    outcome TEXT, reason TEXT, started_at ${integer} NOT NULL, finished_at ${integer}${inserted}, keys TEXT)`,
    fig_journal: `(id ${identity}, handover TEXT NOT NULL, step TEXT NOT NULL,
    at ${integer} NOT NULL, detail TEXT)`,
    fig_shape: `(capability TEXT PRIMARY KEY, shape TEXT NOT NULL)`,
    fig_demand: `(capability TEXT PRIMARY KEY, reason TEXT NOT NULL, at ${integer} NOT NULL)`,
    fig_watch: `(capability TEXT PRIMARY KEY, since ${integer} NOT NULL, until ${integer})`,
    fig_notice: `(capability TEXT PRIMARY KEY, successor TEXT NOT NULL, since ${integer} NOT NULL,
    sunset ${integer}, retired_at ${integer}, asked ${integer} NOT NULL DEFAULT 0, asked_at ${integer},
    asked_for TEXT)`,
    fig_completion: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, started_at ${integer} NOT NULL,
    sealed_at ${integer}, finished_at ${integer}, outcome TEXT, reason TEXT${inserted})`,
    [LEDGER_TABLE]: `(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)`,
    fig_reconcile: `(id ${identity}, capability TEXT NOT NULL, finished_at ${integer} NOT NULL,
    report TEXT NOT NULL)`,
  };
}

/** What earlier versions made as well, and nothing needs any more: it goes when Fig is taken out. */
export const formerTables: readonly string[] = ['fig_opening'];

/** Each applying transaction asks for the newest epoch, and there may be thousands of keys. */
const NEWEST_INDEX = 'CREATE INDEX IF NOT EXISTS fig_fence_newest ON fig_fence (capability, epoch)';

export const ledgerIndexes: readonly string[] = [NEWEST_INDEX, UNFINISHED_INDEX];

/** A column that a table did not have in earlier versions. */
export interface LaterColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
}

export const laterColumns: readonly LaterColumn[] = [
  { table: 'fig_fence', column: 'watch', type: 'INTEGER NOT NULL DEFAULT 0' },
  { table: 'fig_handover', column: 'keys', type: 'TEXT' },
  { table: 'fig_applied', column: 'mark', type: 'TEXT' },
];

/** Takes what is one capability's out of tables that others still need. */
export async function forgetCapability(
  tx: Tx,
  tables: Readonly<Record<string, string>>,
  capability: string,
): Promise<void> {
  await tx.run(
    `DELETE FROM fig_journal WHERE handover IN
       (SELECT id FROM fig_handover WHERE capability = $1
         UNION SELECT id FROM fig_completion WHERE capability = $1)`,
    [capability],
  );
  for (const [table, definition] of Object.entries(tables)) {
    if (!definition.includes('capability TEXT')) continue;
    await tx.run(`DELETE FROM ${table} WHERE capability = $1`, [capability]);
  }
}
