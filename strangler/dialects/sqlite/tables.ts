import { ledgerTables } from '../../ledger/index.ts';
import { name } from './values.ts';

/** The feed of one capability in one database. */
export function feedTable(capability: string): string {
  return `fig_feed_${capability}`;
}

/** The trigger that keeps a feed's newest row. */
export function keepNewest(capability: string): string {
  return `fig_${capability}_keep_newest`;
}

const types = {
  integer: 'INTEGER',
  boolean: 'INTEGER',
  identity: 'INTEGER PRIMARY KEY',
  inserted: '',
};

/** Tables that all capabilities of a database share, by name. */
export const sharedTables: Readonly<Record<string, string>> = {
  ...ledgerTables(types),
  fig_clock: `(id INTEGER PRIMARY KEY CHECK (id = 1), tx INTEGER NOT NULL,
    applying INTEGER NOT NULL)`,
  fig_replaced: `(tbl TEXT NOT NULL, key TEXT NOT NULL)`,
  fig_trespass: `(capability TEXT NOT NULL, tbl TEXT NOT NULL, op TEXT NOT NULL,
    writes INTEGER NOT NULL, first INTEGER NOT NULL, newest INTEGER NOT NULL,
    PRIMARY KEY (capability, tbl, op))`,
};

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
