import type { Demand } from '../handover/gates.ts';
import { demandReconcile, readDemand } from './demand.ts';
import type { Ledger } from './dialect.ts';

/** What `SideChecks` asks of Fig's own tables. */
export class LedgerChecks {
  readonly #ledger: Ledger;
  readonly #capability: string;

  constructor(ledger: Ledger, capability: string) {
    this.#ledger = ledger;
    this.#capability = capability;
  }

  demand(): Promise<Demand | null> {
    return readDemand(this.#ledger.reads, this.#capability);
  }

  demandReconcile(reason: string): Promise<void> {
    const { dialect } = this.#ledger;
    return this.#ledger.transaction((tx) => demandReconcile(tx, dialect, this.#capability, reason));
  }

  async clock(): Promise<number> {
    const { reads, dialect } = this.#ledger;
    return (await reads.get<{ now: number }>(`SELECT ${dialect.now} AS now`))?.now ?? 0;
  }
}
