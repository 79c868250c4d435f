import { LEDGER_TABLE, sha256 } from '../../../chassis/index.ts';
import { UNFINISHED_INDEX } from '../../unfinished-handovers.ts';
import { LONGEST_NAME, name } from './values.ts';

/** A name of ours for something of a capability; one that would be too long ends with a hash. */
export function ourName(...parts: readonly string[]): string {
  const whole = ['fig', ...parts].join('_');
  if (Buffer.byteLength(whole) <= LONGEST_NAME) return whole;
  const kept = Buffer.from(whole)
    .subarray(0, LONGEST_NAME - 13)
    .toString()
    .replaceAll('\uFFFD', '');
  return `${kept}_${sha256(whole).slice(0, 12)}`;
}

/**
 * The feed of one capability in one database: dense positions in the order of commits. Triggers can't
 * know that order, so they write to `captureTable`, and one sequencer moves rows over.
 */
export function feedTable(capability: string): string {
  return ourName('feed', capability);
}

/** What the triggers have captured and the sequencer has not yet seen committed. */
export function captureTable(capability: string): string {
  return ourName('capture', capability);
}

/** Tells whoever listens that something was captured. */
export function wakeChannel(capability: string): string {
  return ourName('wake', capability);
}

/** Tables that all capabilities of a database share, by name. */
export const sharedTables: Readonly<Record<string, string>> = {
  fig_install: `(capability TEXT PRIMARY KEY, side TEXT NOT NULL, mapping_hash TEXT NOT NULL,
    incarnation TEXT NOT NULL, complete BOOLEAN NOT NULL, at BIGINT NOT NULL)`,
  fig_fence: `(capability TEXT NOT NULL, key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed', 'ceded')), epoch BIGINT NOT NULL,
    watch INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (capability, key))`,
  fig_opening: `(capability TEXT NOT NULL, epoch BIGINT NOT NULL, position BIGINT NOT NULL,
    at BIGINT NOT NULL, PRIMARY KEY (capability, epoch))`,
  fig_sequence: `(capability TEXT PRIMARY KEY, last BIGINT NOT NULL)`,
  fig_applied: `(capability TEXT NOT NULL, feed_of TEXT NOT NULL, position BIGINT NOT NULL,
    at BIGINT NOT NULL, mark TEXT, PRIMARY KEY (capability, feed_of))`,
  fig_waiting: `(capability TEXT NOT NULL, pair TEXT NOT NULL, key TEXT NOT NULL,
    image TEXT NOT NULL, PRIMARY KEY (capability, pair, key))`,
  fig_parked: `(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, capability TEXT NOT NULL,
    root TEXT NOT NULL, tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, image TEXT,
    position BIGINT NOT NULL, reason TEXT, attempts INTEGER NOT NULL, at BIGINT NOT NULL)`,
  fig_backfill: `(capability TEXT NOT NULL, pair TEXT NOT NULL, cursor TEXT,
    rows BIGINT NOT NULL, total BIGINT NOT NULL, done BOOLEAN NOT NULL,
    ready_position BIGINT NOT NULL, started_at BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (capability, pair))`,
  fig_copy_limit: `(capability TEXT PRIMARY KEY, rows_per_second BIGINT NOT NULL)`,
  fig_lease: `(capability TEXT PRIMARY KEY, holder TEXT NOT NULL, token BIGINT NOT NULL,
    expires_at BIGINT NOT NULL)`,
  fig_peer: `(capability TEXT PRIMARY KEY, pulse BIGINT NOT NULL, other TEXT NOT NULL,
    other_pulse BIGINT NOT NULL, other_epoch BIGINT NOT NULL)`,
  fig_handover: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, from_side TEXT NOT NULL,
    to_side TEXT NOT NULL, epoch BIGINT NOT NULL, deadline BIGINT NOT NULL, position BIGINT,
    outcome TEXT, reason TEXT, started_at BIGINT NOT NULL, finished_at BIGINT,
    nr BIGINT GENERATED ALWAYS AS IDENTITY, keys TEXT)`,
  fig_journal: `(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, handover TEXT NOT NULL,
    step TEXT NOT NULL, at BIGINT NOT NULL, detail TEXT)`,
  fig_shape: `(capability TEXT PRIMARY KEY, shape TEXT NOT NULL)`,
  fig_demand: `(capability TEXT PRIMARY KEY, reason TEXT NOT NULL, at BIGINT NOT NULL)`,
  fig_uncaptured: `(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, capability TEXT NOT NULL,
    tbl TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL)`,
  fig_trespass: `(capability TEXT NOT NULL, tbl TEXT NOT NULL, op TEXT NOT NULL,
    session BIGINT NOT NULL, who TEXT NOT NULL, writes BIGINT NOT NULL, first BIGINT NOT NULL,
    newest BIGINT NOT NULL, PRIMARY KEY (capability, tbl, op, session, who))`,
  fig_watch: `(capability TEXT PRIMARY KEY, since BIGINT NOT NULL, until BIGINT)`,
  fig_notice: `(capability TEXT PRIMARY KEY, successor TEXT NOT NULL, since BIGINT NOT NULL,
    sunset BIGINT, retired_at BIGINT, asked BIGINT NOT NULL DEFAULT 0, asked_at BIGINT,
    asked_for TEXT)`,
  fig_completion: `(id TEXT PRIMARY KEY, capability TEXT NOT NULL, started_at BIGINT NOT NULL,
    sealed_at BIGINT, finished_at BIGINT, outcome TEXT, reason TEXT,
    nr BIGINT GENERATED ALWAYS AS IDENTITY)`,
  [LEDGER_TABLE]: `(id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)`,
  fig_reconcile: `(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, capability TEXT NOT NULL,
    finished_at BIGINT NOT NULL, report TEXT NOT NULL)`,
};

/** What one capability has for itself. */
export function capabilityTables(capability: string): Readonly<Record<string, string>> {
  return {
    [feedTable(capability)]: `(position BIGINT PRIMARY KEY, tx BIGINT NOT NULL, tbl TEXT NOT NULL,
    key TEXT NOT NULL, op TEXT NOT NULL, image TEXT, epoch BIGINT NOT NULL, at BIGINT NOT NULL)`,
    // Sequence numbers grow in the order in which the changes of a row were made; transactions
    // commit in another. Theirs comes first, so that whoever has a sequence number has one of those.
    [captureTable(capability)]: `(tx BIGINT NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, op TEXT NOT NULL, image TEXT, epoch BIGINT NOT NULL,
    at BIGINT NOT NULL DEFAULT floor(extract(epoch FROM clock_timestamp()) * 1000))`,
  };
}

/** Each applying transaction asks for the newest epoch, and there may be thousands of keys. */
const NEWEST_INDEX = 'CREATE INDEX IF NOT EXISTS fig_fence_newest ON fig_fence (capability, epoch)';

/** All of them, as statements that may be run again. */
export function tableStatements(capability: string): readonly string[] {
  const tables = { ...sharedTables, ...capabilityTables(capability) };
  const statements = Object.entries(tables).map(
    ([table, definition]) => `CREATE TABLE IF NOT EXISTS ${name(table)} ${definition}`,
  );
  return [...statements, NEWEST_INDEX, UNFINISHED_INDEX];
}
