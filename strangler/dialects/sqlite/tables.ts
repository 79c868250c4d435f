import { LEDGER_TABLE } from '../../../chassis/index.ts';
import { name } from './values.ts';

/** The feed of one capability in one database. */
export function feedTable(capability: string): string {
  return `fig_feed_${capability}`;
}

/** The trigger that keeps a feed's newest row. */
export function keepNewest(capability: string): string {
  return `fig_${capability}_keep_newest`;
}

/** Tables that all capabilities of a database share, by name. */
export const sharedTables: Readonly<Record<string, string>> = {
  fig_install: `(capability TEXT PRIMARY KEY, side TEXT NOT NULL, mapping_hash TEXT NOT NULL,
    incarnation TEXT NOT NULL, complete INTEGER NOT NULL, at INTEGER NOT NULL)`,
  fig_fence: `(capability TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'ceded')), epoch INTEGER NOT NULL,
    watch INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (capability, key))`,
  fig_opening: `(capability TEXT NOT NULL, epoch INTEGER NOT NULL, position INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (capability, epoch))`,
  fig_clock: `(id INTEGER PRIMARY KEY CHECK (id = 1), tx INTEGER NOT NULL,
    applying INTEGER NOT NULL)`,
  fig_replaced: `(tbl TEXT NOT NULL, key TEXT NOT NULL)`,
  fig_applied: `(capability TEXT NOT NULL, feed_of TEXT NOT NULL, position INTEGER NOT NULL,
    at INTEGER NOT NULL, mark TEXT, PRIMARY KEY (capability, feed_of))`,
  fig_waiting: `(capability TEXT NOT NULL, pair TEXT NOT NULL, key TEXT NOT NULL,
    image TEXT NOT NULL, PRIMARY KEY (capability, pair, key))`,
  fig_parked: `(id INTEGER PRIMARY KEY, capability TEXT NOT NULL, root TEXT NOT NULL,
    tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, image TEXT, position INTEGER NOT NULL,
    reason TEXT, attempts INTEGER NOT NULL, at INTEGER NOT NULL)`,
  fig_backfill: `(capability TEXT NOT NULL, pair TEXT NOT NULL, cursor TEXT,
    rows INTEGER NOT NULL, total INTEGER NOT NULL, done INTEGER NOT NULL,
    ready_position INTEGER NOT NULL, started_at INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (capability, pair))`,
  fig_copy_limit: `(capability TEXT PRIMARY KEY, rows_per_second INTEGER NOT NULL)`,
  fig_lease: `(capability TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL,
    expires_at INTEGER NOT NULL)`,
  fig_peer: `(capability TEXT PRIMARY KEY, pulse INTEGER NOT NULL, other TEXT NOT NULL,
    other_pulse INTEGER NOT NULL, other_epoch INTEGER NOT NULL)`,
  fig_handover: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, from_side TEXT NOT NULL,
    to_side TEXT NOT NULL, epoch INTEGER NOT NULL, deadline INTEGER NOT NULL, position INTEGER,
    outcome TEXT, reason TEXT, started_at INTEGER NOT NULL, finished_at INTEGER, keys TEXT)`,
  fig_journal: `(id INTEGER PRIMARY KEY, handover TEXT NOT NULL, step TEXT NOT NULL,
    at INTEGER NOT NULL, detail TEXT)`,
  fig_shape: `(capability TEXT PRIMARY KEY, shape TEXT NOT NULL)`,
  fig_demand: `(capability TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL)`,
  fig_trespass: `(capability TEXT NOT NULL, tbl TEXT NOT NULL, op TEXT NOT NULL,
    writes INTEGER NOT NULL, first INTEGER NOT NULL, newest INTEGER NOT NULL,
    PRIMARY KEY (capability, tbl, op))`,
  fig_watch: `(capability TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER)`,
  fig_notice: `(capability TEXT PRIMARY KEY, successor TEXT NOT NULL, since INTEGER NOT NULL,
    sunset INTEGER, retired_at INTEGER, asked INTEGER NOT NULL DEFAULT 0, asked_at INTEGER,
    asked_for TEXT)`,
  fig_completion: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, started_at INTEGER NOT NULL,
    sealed_at INTEGER, finished_at INTEGER, outcome TEXT, reason TEXT)`,
  [LEDGER_TABLE]: `(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)`,
  fig_reconcile: `(id INTEGER PRIMARY KEY, capability TEXT NOT NULL, finished_at INTEGER NOT NULL,
    report TEXT NOT NULL)`,
};

/** Each applying transaction asks for the newest epoch, and there may be thousands of keys. */
export const NEWEST_INDEX =
  'CREATE INDEX IF NOT EXISTS fig_fence_newest ON fig_fence (capability, epoch)';

/**
 * The feed has no AUTOINCREMENT: that would leave a sqlite_sequence table behind for good. Its
 * newest row is never deleted instead, so that positions never start over.
 */
export function feedSchema(capability: string): readonly string[] {
  const table = name(feedTable(capability));
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (position INTEGER PRIMARY KEY, tx INTEGER NOT NULL,
      tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, image TEXT, epoch INTEGER NOT NULL,
      at INTEGER NOT NULL)`,
    `CREATE TRIGGER IF NOT EXISTS ${name(keepNewest(capability))}
      BEFORE DELETE ON ${table}
      WHEN OLD.position = (SELECT max(position) FROM ${table})
      BEGIN SELECT RAISE(ABORT, 'the newest row of a feed stays: positions must not start over'); END`,
  ];
}

/** ms since 1970 in SQL that SQLite 3.40 knows. */
export const NOW_SQL = `CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)`;
