import { LedgerShadowFence } from '../../ledger/index.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { BypassingWrites } from '../../ownership/shadow-fence.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PostgresConnection } from './connection.ts';
import type { PostgresLedger, PostgresTx } from './ledger.ts';
import { replaceTriggers } from './replace-triggers.ts';
import { persistently } from './table-locks.ts';
import { triggersOf } from './triggers.ts';

/** `ShadowFence` on PostgreSQL: it also knows who wrote. */
export class PostgresShadowFence extends LedgerShadowFence<PostgresTx> {
  readonly #db: PostgresConnection;

  constructor(
    connection: PostgresConnection,
    ledger: PostgresLedger,
    mapping: Mapping,
    side: SideName,
  ) {
    super(ledger, mapping, side);
    this.#db = connection;
  }

  protected async replacing(
    watch: boolean,
    record: (tx: PostgresTx) => Promise<void>,
  ): Promise<void> {
    const mapping = this.mapping;
    const failed = `who writes to ${mapping.capability} could not be ${watch ? 'watched' : 'left alone'}`;
    await persistently(this.#db, tablesOf(mapping, this.side), failed, () =>
      this.ledger.transaction(async (tx) => {
        // First, since it may have to wait: whoever it waits for may want the rows that are recorded.
        await replaceTriggers(tx.client, mapping, triggersOf(mapping, this.side, watch));
        await record(tx);
      }),
    );
  }

  protected async counted(tx: PostgresTx): Promise<readonly BypassingWrites[]> {
    const rows = await tx.all<Omit<BypassingWrites, 'who'> & { readonly who: string }>(
      `SELECT tbl AS "table", op, sum(writes)::bigint AS writes, min(first) AS first,
           max(newest) AS newest, json_agg(DISTINCT who) AS who
         FROM fig_trespass WHERE capability = $1 GROUP BY tbl, op ORDER BY max(newest) DESC`,
      [this.mapping.capability],
    );
    return rows.map((row) => ({ ...row, who: JSON.parse(row.who) as string[] }));
  }
}
