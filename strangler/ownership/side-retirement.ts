import type { Reader } from './completion/gates.ts';
import type { CompletionRecord, RenamedTable } from './completion/record.ts';
import type { JournalEntry, Lease } from '../ledger/store.ts';

/** What the legacy side's database tells its own program of a capability that has moved away. */
export interface NoticeWords {
  /** Base URL of where it is served now. */
  readonly successor: string;
  /** Since when; ms since 1970, as is the following. */
  readonly since: number;
  readonly sunset: number | null;
}

/** One side's database, as the completion of a capability needs it. Each method is one transaction. */
export interface SideRetirement {
  /** Puts the notice up, or brings it up to date; null takes it down. */
  announce(words: NoticeWords | null): Promise<void>;
  /** Who has asked the legacy program for the capability since the notice is up. */
  reader(): Promise<Reader | null>;
  /** The newest completion, if any. */
  completion(): Promise<CompletionRecord | undefined>;
  /** Records a new one, if none is unfinished. */
  begin(record: CompletionRecord, lease: Lease): Promise<boolean>;
  journal(entry: Omit<JournalEntry, 'at'>, lease: Lease): Promise<boolean>;
  /** The point of no return; false when the lease is lost or this side is not the one that ceded. */
  seal(id: string, lease: Lease): Promise<boolean>;
  finish(
    id: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
  ): Promise<boolean>;
  /** The capability's tables here, and what they would be renamed to. */
  tables(): readonly RenamedTable[];
  /**
   * Why the tables can't be renamed, one text each: whatever would break, or would go on unnoticed.
   * @param foreign tables that other capabilities own here
   */
  obstacles(foreign: ReadonlyMap<string, string>): Promise<readonly string[]>;
  /** Whether any of Fig's triggers is still on the capability's tables. */
  captured(): Promise<boolean>;
  /** Takes Fig's triggers off the tables. */
  release(): Promise<void>;
  /** Whether the tables have been renamed. */
  retired(): Promise<boolean>;
  /** Takes Fig's triggers off the tables, renames them, and says so in the notice, all at once. */
  retire(words: NoticeWords): Promise<void>;
}
