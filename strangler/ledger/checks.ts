import type { Demand } from '../ownership/handover/gates.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Measured } from '../sides/side-checks.ts';
import type { SideName } from '../../routing/side.ts';
import { demandReconcile, readDemand } from './demand.ts';
import type { Ledger, LedgerTransactionOptions, Tx } from './dialect.ts';

/** Ends a transaction of which nothing is to stay, with what it has shown. */
class TakenBack<R> {
  readonly result: R;

  constructor(result: R) {
    this.result = result;
  }
}

/** What `SideChecks` asks of Fig's own tables. A dialect adds what it asks of the schema and the feed. */
export abstract class LedgerChecks<T extends Tx> {
  protected readonly ledger: Ledger<T>;
  protected readonly mapping: Mapping;
  protected readonly side: SideName;

  constructor(ledger: Ledger<T>, mapping: Mapping, side: SideName) {
    this.ledger = ledger;
    this.mapping = mapping;
    this.side = side;
  }

  demand(): Promise<Demand | null> {
    return readDemand(this.ledger.reads, this.mapping.capability);
  }

  demandReconcile(reason: string): Promise<void> {
    const { dialect } = this.ledger;
    return this.ledger.transaction((tx) =>
      demandReconcile(tx, dialect, this.mapping.capability, reason),
    );
  }

  async clock(): Promise<number> {
    const { reads, dialect } = this.ledger;
    return (await reads.get<{ now: number }>(`SELECT ${dialect.now} AS now`))?.now ?? 0;
  }

  /** Runs `work` in a transaction that is rolled back when `work` is fulfilled, too. */
  protected async takenBack<R>(
    work: (tx: T) => Promise<R>,
    options?: LedgerTransactionOptions,
  ): Promise<R> {
    try {
      return await this.ledger.transaction(async (tx): Promise<R> => {
        throw new TakenBack(await work(tx));
      }, options);
    } catch (error) {
      if (error instanceof TakenBack) return error.result as R;
      throw error;
    }
  }
}

/**
 * What a query gave, as text. The sum of no rows is none, which is nothing: the other side may have rows
 * that are all zero.
 */
export function figureOf(
  rows: readonly (readonly (string | number | bigint | null)[])[],
): Measured['figures'][number] {
  if (rows.length !== 1) return { problem: `gives ${rows.length} rows, not one` };
  return { text: (rows[0] ?? []).map((value) => String(value ?? '0')).join(', ') };
}
