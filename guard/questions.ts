import { FencedError, REST } from './fence.ts';
import type { Fence, FenceState, GuardOptions, NamedFence } from './fence.ts';

/**
 * What a database is asked for a fence, for every driver. A value stands in a statement as `?`.
 * docs/your-service.md has the same statements for other languages.
 */
export type Ask = (sql: string, values?: readonly string[]) => Promise<readonly object[]>;

/** The fence that counts for a write. */
export interface FoundFence extends Fence {
  /** Set where the key has a fence of its own. */
  readonly key?: string;
  /** Not 0 where writes that bypass the application are looked for. */
  readonly watch: number;
}

/** A row of `fig_fence`. Drivers may give a big integer as text. */
interface FenceRow {
  readonly key: string;
  readonly state: FenceState;
  readonly epoch: number | string;
  readonly watch?: number;
}

/** The fences that count for a key: give the capability, and the key (or `*`). */
export const FENCES_OF_KEY = `SELECT * FROM fig_fence WHERE capability = ? AND key IN (?, '*')`;

export const ALL_FENCES =
  'SELECT capability, key, state, epoch FROM fig_fence ORDER BY capability, key';

/** Takes SQLite's write lock, as BEGIN IMMEDIATE does, where a driver begins without it; changes nothing. */
export const TAKE_WRITE_LOCK = 'UPDATE fig_fence SET state = state WHERE 0';

/** Says in `fig_fence.watch` that the transaction is the application's own, and that it was. Only SQLite needs it. */
export const MARK_WATCH = `UPDATE fig_fence SET watch = ? WHERE capability = ? AND key = '*'`;
export const OWN_WRITE = '2';
export const WATCHED = '1';

/** Whether a database has no fences since no migration has touched it. */
export function hasNoFences(error: unknown): boolean {
  return /no such table: (main\.)?fig_fence/.test(String(error));
}

/** A key's own fence goes before that of the rest; whether writes are watched, the rest's says for all. */
export function fenceIn(rows: readonly object[], key?: string): FoundFence | undefined {
  const fences = rows as readonly FenceRow[];
  const rest = fences.find((fence) => fence.key === REST);
  const own = key === REST ? undefined : fences.find((fence) => fence.key === key);
  const found = own ?? rest;
  if (!found) return undefined;
  const { state, epoch } = found;
  const fence = { state, epoch: Number(epoch), watch: rest?.watch ?? 0 };
  return own === undefined ? fence : { ...fence, key: own.key };
}

/** @throws FencedError unless this database owns the capability, or the key */
export function requireOpen(
  { capability, whenAbsent }: GuardOptions,
  found: FoundFence | undefined,
): FoundFence {
  const fence = found ?? { state: whenAbsent, epoch: 0, watch: 0 };
  if (fence.state !== 'open') throw new FencedError(capability, fence, fence.key);
  return fence;
}

/** What a PostgreSQL database has to ask for a fence, as it is in this moment. */
interface Installed {
  readonly fences: boolean;
  readonly holds: boolean;
  readonly holds_by_key: boolean;
}

// One question for all, since an error would end the transaction.
const INSTALLED = `SELECT to_regclass('fig_fence') IS NOT NULL AS fences,
  to_regprocedure('fig_fence_held(text)') IS NOT NULL AS holds,
  to_regprocedure('fig_fence_held(text,text)') IS NOT NULL AS holds_by_key`;

const HELD = `SELECT state, epoch, set_config('fig.door', ?, true) FROM fig_fence_held`;

/**
 * Reads the fence on PostgreSQL and keeps it from closing until the transaction ends: the function takes a
 * lock that writers share. In the same statement the transaction says that it is the application's own, for
 * the audit of writes that bypass it.
 */
export async function holdOnPostgres(
  ask: Ask,
  capability: string,
  key?: string,
): Promise<FoundFence | undefined> {
  const [installed] = (await ask(INSTALLED)) as readonly [Installed];
  if (!installed.fences) return undefined;
  if (!installed.holds) return find(ask, capability, key);
  const byKey = key !== undefined && installed.holds_by_key;
  const [row] = (await (byKey
    ? ask(`${HELD}(?, ?)`, [capability, capability, key])
    : ask(`${HELD}(?)`, [capability, capability]))) as readonly FenceRow[];
  if (!row?.state) return undefined;
  const fence = { state: row.state, epoch: Number(row.epoch), watch: 0 };
  // Whether it is the key's own fence matters only to a refusal.
  if (!byKey || fence.state === 'open') return fence;
  return (await find(ask, capability, key)) ?? fence;
}

/** Reads the fence on SQLite, where a transaction that holds the write lock keeps it as it is. */
export async function readOnSqlite(
  ask: Ask,
  capability: string,
  key?: string,
): Promise<FoundFence | undefined> {
  try {
    return await find(ask, capability, key);
  } catch (error) {
    if (hasNoFences(error)) return undefined;
    throw error;
  }
}

async function find(ask: Ask, capability: string, key = REST): Promise<FoundFence | undefined> {
  return fenceIn(await ask(FENCES_OF_KEY, [capability, key]), key);
}

/** All fences, as they were a moment ago; none where no migration has touched the database. */
export async function listOnPostgres(ask: Ask): Promise<readonly NamedFence[]> {
  const [installed] = (await ask(INSTALLED)) as readonly [Installed];
  return installed.fences ? namedIn(await ask(ALL_FENCES)) : [];
}

/** The same on SQLite. */
export async function listOnSqlite(ask: Ask): Promise<readonly NamedFence[]> {
  try {
    return namedIn(await ask(ALL_FENCES));
  } catch (error) {
    if (hasNoFences(error)) return [];
    throw error;
  }
}

/** What `ALL_FENCES` has found, in the form of `GET /fences`. */
export function namedIn(rows: readonly object[]): readonly NamedFence[] {
  return (rows as readonly (FenceRow & { readonly capability: string })[]).map(
    ({ capability, key, state, epoch }) => ({ capability, key, state, epoch: Number(epoch) }),
  );
}
