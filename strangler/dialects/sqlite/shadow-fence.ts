import { LedgerShadowFence } from '../../ledger/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { BypassingWrites } from '../../ownership/shadow-fence.ts';
import type { SideName } from '../../../routing/side.ts';
import type { SqliteConnection } from './connection.ts';
import { replaceTriggers } from './install.ts';
import type { SqliteLedger, SqliteTx } from './ledger.ts';

/** `ShadowFence` on SQLite, which knows no users: it can't say who wrote. */
export class SqliteShadowFence extends LedgerShadowFence<SqliteTx> {
  readonly #db: SqliteConnection;

  constructor(
    connection: SqliteConnection,
    ledger: SqliteLedger,
    mapping: Mapping,
    side: SideName,
  ) {
    super(ledger, mapping, side);
    this.#db = connection;
  }

  /** The triggers are made for what is recorded by then. */
  protected replacing(_watch: boolean, record: (tx: SqliteTx) => Promise<void>): Promise<void> {
    return this.ledger.transaction(async (tx) => {
      await record(tx);
      replaceTriggers(this.#db, this.mapping, this.side);
    });
  }

  protected async counted(tx: SqliteTx): Promise<readonly BypassingWrites[]> {
    const writes = await tx.all<Omit<BypassingWrites, 'who'>>(
      `SELECT tbl AS "table", op, writes, first, newest FROM fig_trespass
         WHERE capability = $1 ORDER BY newest DESC`,
      [this.mapping.capability],
    );
    return writes.map((one) => ({ ...one, who: [] }));
  }
}
