/** The last step of a migration, as the legacy side's database records it. */
export interface CompletionRecord {
  readonly id: string;
  readonly capability: string;
  /** ms since 1970, as are the following. */
  readonly startedAt: number;
  /** When the way back was closed: the point of no return. */
  readonly sealedAt: number | null;
  readonly finishedAt: number | null;
  readonly outcome: 'done' | 'aborted' | null;
  readonly reason: string | null;
}

/** A legacy table, and its name from the completion on. */
export interface RenamedTable {
  readonly table: string;
  readonly renamed: string;
}

/** Longer names than this are cut by some databases, and two of them could become one. */
export const LONGEST_NAME = 63;

export function renamedTable(table: string): RenamedTable {
  return { table, renamed: `${table}_retired` };
}
