import type { Fence } from '../../chassis/index.ts';

/** A table's rows: how many, and a hash of all that they hold. Equal contents are equal texts. */
export type Contents = ReadonlyMap<string, string>;

/** A fence that conformance has put into a database; `key` is `*` for all keys without one of their own. */
export interface ScratchFence extends Fence {
  readonly key: string;
}

/** How a write went that was under way while its fence closed. */
export interface Crossing<T> {
  readonly answer: T;
  /** Whether the fence could close only once the write's transaction had ended. */
  readonly waited: boolean;
  /** What was there when the fence closed. Nothing of the write may be added later. */
  readonly atClose: Contents;
}

/** The database of a service that is tested, as conformance uses it. */
export interface ScratchDatabase {
  /** Tables of Fig's that something else than conformance has made: a migration is, or was, under way. */
  foreignTables(): Promise<readonly string[]>;
  /** Puts what an engine installs for a fence, without triggers, in place of what an earlier run has left. */
  install(capability: string): Promise<void>;
  /** Sets the fences of the capability; others of it go. */
  set(capability: string, fences: readonly ScratchFence[]): Promise<void>;
  /** Takes out what `install` has put in. */
  remove(): Promise<void>;
  /** What all tables hold, other than Fig's and those left out. */
  contents(leftOut: ReadonlySet<string>): Promise<Contents>;
  /**
   * Closes the fence while a write is under way: lets the write begin, keeps it from its tables, closes the
   * fence, then lets it go on.
   * @param write sends it
   * @param graceMs how long it may take until it waits, where the database can't tell
   */
  closeAcross<T>(crossing: {
    readonly capability: string;
    readonly leftOut: ReadonlySet<string>;
    readonly graceMs: number;
    write(): Promise<T>;
  }): Promise<Crossing<T>>;
  close(): Promise<void>;
}

/** Says that a fence is conformance's own. Fig's names begin so, and an engine makes no table of this name. */
export const MARK_TABLE = 'fig_conformance';

/** All that conformance makes: other tables that begin with `fig_` are an engine's. */
export const SCRATCH_TABLES: ReadonlySet<string> = new Set([MARK_TABLE, 'fig_fence']);

/** Fig's own tables among those of a database that are no scratch of ours. */
export function foreignAmong(tables: readonly string[]): readonly string[] {
  const figs = tables.filter((table) => table.startsWith('fig_'));
  return figs.includes(MARK_TABLE) ? figs.filter((table) => !SCRATCH_TABLES.has(table)) : figs;
}
