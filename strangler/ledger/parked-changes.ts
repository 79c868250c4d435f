import { decodeRow } from '../mapping/index.ts';
import { droppedText } from '../replication/parked/index.ts';
import type { ParkedChange, ParkedChanges } from '../sides/side-database.ts';
import { demandReconcile } from './demand.ts';
import type { Dialect, Ledger, Reads } from './dialect.ts';

/** A row of `fig_parked`. */
export type ParkedRow = Omit<ParkedChange, 'key' | 'image'> & {
  readonly key: string;
  readonly image: string | null;
};

/** How rows of `fig_parked` are read, as `ParkedRow`. */
export const PARKED_COLUMNS =
  'id, root, tbl AS "table", key, op, image, position, reason, attempts, at';

export function parkedOf(row: ParkedRow, { unstored }: Pick<Dialect, 'unstored'>): ParkedChange {
  return {
    ...row,
    root: unstored(row.root),
    key: decodeRow(row.key),
    image: row.image === null ? null : decodeRow(row.image),
    reason: row.reason === null ? null : unstored(row.reason),
  };
}

/** All rows of a capability, in the order in which they are to be applied. */
export function parkedRows(tx: Reads, capability: string): Promise<readonly ParkedRow[]> {
  return tx.all<ParkedRow>(
    `SELECT ${PARKED_COLUMNS} FROM fig_parked WHERE capability = $1 ORDER BY id`,
    [capability],
  );
}

/** `ParkedChanges` over a ledger: what others than the applier may do with them. */
export class LedgerParkedChanges implements ParkedChanges {
  readonly #ledger: Ledger;
  readonly #capability: string;

  constructor(ledger: Ledger, capability: string) {
    this.#ledger = ledger;
    this.#capability = capability;
  }

  async list(): Promise<readonly ParkedChange[]> {
    const rows = await parkedRows(this.#ledger.reads, this.#capability);
    return rows.map((row) => parkedOf(row, this.#ledger.dialect));
  }

  async count(): Promise<number> {
    const counted = await this.#ledger.reads.get<{ count: number }>(
      'SELECT count(*) AS count FROM fig_parked WHERE capability = $1',
      [this.#capability],
    );
    return counted?.count ?? 0;
  }

  skip(root: string): Promise<number> {
    const { dialect } = this.#ledger;
    const stored = dialect.stored(root);
    return this.#ledger.transaction(async (tx) => {
      const dropped = await tx.run(
        'DELETE FROM fig_parked WHERE capability = $1 AND root IN ($2, $3)',
        [this.#capability, root, stored],
      );
      if (dropped > 0) await demandReconcile(tx, dialect, this.#capability, droppedText(stored));
      return dropped;
    });
  }
}
