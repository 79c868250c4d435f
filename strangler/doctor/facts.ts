import type { Fence } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord, LeaseView } from '../ledger/store.ts';
import type { Parting } from '../replication/copy/index.ts';
import type { Demand } from '../ownership/handover/gates.ts';
import type { RestoredBackup } from './restored-backup.ts';

export interface StrayKey extends Readonly<Record<SideName, Fence>> {
  readonly key: string;
}

/** Everything that both databases of a capability tell of their state. */
export interface DatabaseFacts {
  readonly capability: string;
  /** Why a database can't be read, by side; both are then unknown in what follows. */
  readonly trouble: Partial<Readonly<Record<SideName, string>>>;
  readonly installed: Readonly<Record<SideName, boolean>>;
  /** Of what the unfinished handover moves; without one, of all keys that have no fence of their own. */
  readonly fences: Readonly<Record<SideName, Fence>> | null;
  /** How many keys with fences of their own each side owns; null where none has one. */
  readonly apart: Readonly<Record<SideName, number>> | null;
  /** Those of them that have not exactly one owner, with their fences. */
  readonly astray: readonly StrayKey[];
  readonly unfinished: HandoverRecord | null;
  /** How far the target of the unfinished handover has applied the source's feed. */
  readonly targetApplied: number;
  readonly older: readonly RestoredBackup[];
  /** What each side alone holds, where that is in question; a text says why it is not known. */
  readonly parting: Parting | string | null;
  /** The capability's last step, once it was begun and not taken back. */
  readonly completion: 'begun' | 'done' | null;
  /** Why both sides have to be compared as a whole before anything is handed over. */
  readonly demand: Demand | null;
  /** What the databases have become since they were prepared, by side. */
  readonly drift: Readonly<Record<SideName, readonly string[]>>;
  /** Why the mapping can't be used with what the databases have become, by side. */
  readonly unfit: Readonly<Record<SideName, readonly string[]>>;
  /** Rows across the border of what moves that refer to rows which are gone. */
  readonly dangling: readonly string[];
  /** Whether the owner's feed no longer holds what the other side needs next. */
  readonly feedLost: string | null;
  readonly parked: { readonly changes: number; readonly reason: string } | null;
  /** Of the legacy database, which an engine takes first. */
  readonly lease: LeaseView | null;
  readonly now: number;
}

/** What a running engine says of a capability; null where none answers. */
export interface EngineFacts {
  readonly standing: 'leader' | 'standby' | 'waiting' | 'complete';
  readonly reason: string | null;
  readonly intent: {
    readonly to: SideName | null;
    readonly spent: string | null;
    readonly refused: { readonly reason: string; readonly next: string | null } | null;
  };
}
