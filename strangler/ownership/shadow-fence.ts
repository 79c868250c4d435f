/** Writes past a capability's own door, by table and kind. */
export interface BypassingWrites {
  readonly table: string;
  readonly op: 'insert' | 'update' | 'delete';
  readonly writes: number;
  /** ms since 1970, as is the following. */
  readonly first: number;
  readonly newest: number;
  /** Who they were, where the database knows. */
  readonly who: readonly string[];
}

export interface ShadowReport {
  /** Whether somebody watches at the moment. */
  readonly on: boolean;
  /** ms since 1970, as is the following. */
  readonly since: number;
  readonly until: number | null;
  readonly writes: readonly BypassingWrites[];
}

/**
 * A fence that stops nobody: it counts the writes whose transactions did not come by the
 * capability's own door, which after a handover would fail.
 */
export interface ShadowFence {
  /** Begins to watch, from nothing; goes on where somebody watches already. */
  on(): Promise<void>;
  /** Stops watching; what was counted stays. */
  off(): Promise<void>;
  /** Null when nobody has ever watched. */
  report(): Promise<ShadowReport | null>;
}
