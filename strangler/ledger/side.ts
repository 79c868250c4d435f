import type { Mapping } from '../mapping/index.ts';
import type { BackfillState, Installation, ParkedChanges } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import type { SideStore } from './store.ts';
import { readBackfills, readCopyLimit, saveCopyLimit } from './backfill.ts';
import type { FeedEnd, Ledger, Tx } from './dialect.ts';
import { readInstallation } from './installation.ts';
import { LedgerParkedChanges } from './parked-changes.ts';
import { lastReport, saveReport } from './reports.ts';
import { LedgerSideStore } from './side-store.ts';

/** What of a `SideDatabase` is Fig's own tables. A dialect adds the rest. */
export abstract class LedgerSide<T extends Tx> {
  readonly side: SideName;
  readonly store: SideStore;
  readonly parked: ParkedChanges;
  protected readonly ledger: Ledger<T>;
  protected readonly mapping: Mapping;

  constructor(ledger: Ledger<T>, feed: FeedEnd, mapping: Mapping, side: SideName) {
    this.side = side;
    this.ledger = ledger;
    this.mapping = mapping;
    this.store = new LedgerSideStore(ledger, feed, mapping, side);
    this.parked = new LedgerParkedChanges(ledger, mapping.capability);
  }

  installation(): Promise<Installation | undefined> {
    return readInstallation(this.ledger, this.mapping.capability);
  }

  backfills(): Promise<readonly BackfillState[]> {
    return readBackfills(this.ledger.reads, this.mapping);
  }

  copyLimit(): Promise<number | null> {
    return readCopyLimit(this.ledger.reads, this.mapping.capability);
  }

  saveCopyLimit(rowsPerSecond: number | null): Promise<void> {
    const { capability } = this.mapping;
    return this.ledger.transaction((tx) => saveCopyLimit(tx, capability, rowsPerSecond));
  }

  saveReport(report: object, finishedAt: number): Promise<void> {
    const { dialect } = this.ledger;
    return this.ledger.transaction((tx) =>
      saveReport(tx, dialect, this.mapping.capability, report, finishedAt),
    );
  }

  lastReport(): Promise<unknown> {
    return lastReport(this.ledger.reads, this.mapping.capability);
  }
}
