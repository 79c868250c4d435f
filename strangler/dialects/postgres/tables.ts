import { sha256 } from '../../../chassis/index.ts';
import { ledgerIndexes, ledgerTables } from '../../ledger/index.ts';
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

const types = {
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  identity: 'BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
  inserted: ', nr BIGINT GENERATED ALWAYS AS IDENTITY',
};

/** Tables that all capabilities of a database share, by name. */
export const sharedTables: Readonly<Record<string, string>> = {
  ...ledgerTables(types),
  fig_sequence: `(capability TEXT PRIMARY KEY, last BIGINT NOT NULL)`,
  fig_uncaptured: `(id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, capability TEXT NOT NULL,
    tbl TEXT NOT NULL, reason TEXT NOT NULL, at BIGINT NOT NULL)`,
  fig_trespass: `(capability TEXT NOT NULL, tbl TEXT NOT NULL, op TEXT NOT NULL,
    session BIGINT NOT NULL, who TEXT NOT NULL, writes BIGINT NOT NULL, first BIGINT NOT NULL,
    newest BIGINT NOT NULL, PRIMARY KEY (capability, tbl, op, session, who))`,
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

/** All of them, as statements that may be run again. */
export function tableStatements(capability: string): readonly string[] {
  const tables = { ...sharedTables, ...capabilityTables(capability) };
  const statements = Object.entries(tables).map(
    ([table, definition]) => `CREATE TABLE IF NOT EXISTS ${name(table)} ${definition}`,
  );
  return [...statements, ...ledgerIndexes];
}
