import type { SideName } from '../../../routing/side.ts';
import { otherSide } from '../../../routing/side.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import { LedgerSide } from '../../ledger/index.ts';
import { withPoisonParked } from '../../replication/poison.ts';
import { ApplyError } from '../../sides/side-database.ts';
import type {
  Applied,
  CommitWatch,
  RowName,
  SideDatabase,
  Snapshot,
  Target,
} from '../../sides/side-database.ts';
import type { Lease, Slice } from '../../ledger/store.ts';
import { applySlice } from './apply-slice.ts';
import { asTarget } from './as-target.ts';
import { PostgresChecks } from './checks.ts';
import { PostgresConnection } from './connection.ts';
import { sqlState } from './errors.ts';
import { PostgresFeedReader } from './feed-reader.ts';
import { install, upgradeTables } from './install.ts';
import { PostgresLedger } from './ledger.ts';
import type { PostgresTx } from './ledger.ts';
import { PostgresRetirement } from './retirement.ts';
import { reEmit } from './re-emit.ts';
import { problemsOf } from './problems.ts';
import { readSchemas } from './schema.ts';
import type { Schemas } from './schema.ts';
import { Sequencer } from './sequencer.ts';
import { PostgresShadowFence } from './shadow-fence.ts';
import { PostgresSnapshot } from './snapshot.ts';
import { wakeChannel } from './tables.ts';
import type { PostgresTarget } from './target.ts';
import { uninstall } from './uninstall.ts';

/** One side's PostgreSQL database of one capability. */
export class PostgresSideDatabase extends LedgerSide<PostgresTx> implements SideDatabase {
  readonly feed: PostgresFeedReader;
  readonly checks: PostgresChecks;
  readonly shadowFence: PostgresShadowFence;
  readonly retirement: PostgresRetirement;
  /** Each transaction is several trips over a network. */
  readonly sliceLimit = 4_000;
  /** Others who write lock rows, and stand in nobody's way. */
  readonly hasOtherWriters = false;
  readonly #db: PostgresConnection;
  readonly #sequencer: Sequencer;
  #schemas: Promise<Schemas> | undefined;

  /** @param url of a database; connecting happens at the first use */
  constructor(url: string, mapping: Mapping, side: SideName) {
    const { capability } = mapping;
    const connection = new PostgresConnection(url);
    const ledger = new PostgresLedger(connection);
    const sequencer = new Sequencer(connection, capability);
    super(ledger, sequencer, mapping, side);
    this.#db = connection;
    this.#sequencer = sequencer;
    this.feed = new PostgresFeedReader(connection, sequencer, capability, side);
    this.checks = new PostgresChecks(connection, ledger, sequencer, mapping, side);
    this.shadowFence = new PostgresShadowFence(connection, ledger, mapping, side);
    this.retirement = new PostgresRetirement(connection, ledger, mapping, side);
  }

  async install(): Promise<void> {
    await install(this.#db, this.mapping, this.side);
    this.#schemas = undefined;
  }

  upgrade(): Promise<void> {
    return upgradeTables(this.#db);
  }

  uninstall(lease?: Lease): Promise<boolean> {
    return uninstall(this.#db, this.mapping.capability, lease);
  }

  async problems(): Promise<readonly MappingProblem[]> {
    const tables = tablesOf(this.mapping, this.side);
    return this.#db.snapshot(async (client) =>
      problemsOf(client, this.mapping, this.side, await readSchemas(client, tables)),
    );
  }

  snapshot<T>(work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
    return this.#withSchemas((schemas) =>
      this.#db.snapshot((client) =>
        work(new PostgresSnapshot(client, this.mapping, this.side, schemas)),
      ),
    );
  }

  apply<T>(epoch: number, work: (target: Target) => Promise<T>, durable = false): Promise<T> {
    return this.#apply(epoch, work, durable);
  }

  applySlice(epoch: number, slice: Slice): Promise<Applied> {
    return withPoisonParked((careful) =>
      this.#apply(epoch, (target) => applySlice(target, slice, careful), false),
    );
  }

  /** There is no way from one database to another that does not lead through here. */
  bulkCopyFrom(): undefined {
    return undefined;
  }

  reEmit(rows: readonly RowName[]): Promise<number | null> {
    return this.#withSchemas((schemas) => {
      const [connection, sequencer, mapping] = [this.#db, this.#sequencer, this.mapping];
      return reEmit({ connection, sequencer, mapping, side: this.side, schemas }, rows);
    });
  }

  /** Its locks are queued for: nobody has to be told to hurry. */
  atHighPriority<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  /** A commit that is waited for is written behind all that were not, and so are they. */
  async flush(): Promise<number> {
    const { rows } = await this.#db.transaction((client) =>
      client.query<{ position: number }>(
        `UPDATE fig_applied SET at = at WHERE capability = $1 AND feed_of = $2 RETURNING position`,
        [this.mapping.capability, otherSide(this.side)],
      ),
    );
    return rows[0]?.position ?? 0;
  }

  watch(onCommit: () => void, onLost?: (reason: string | null) => void): CommitWatch {
    return this.#db.watch(wakeChannel(this.mapping.capability), onCommit, onLost);
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #apply<T>(
    epoch: number,
    work: (target: PostgresTarget) => Promise<T>,
    durable: boolean,
  ): Promise<T> {
    return this.#withSchemas((schemas) =>
      asTarget(
        { connection: this.#db, mapping: this.mapping, side: this.side, schemas },
        { epoch, durable },
        work,
      ),
    );
  }

  /** What the schema is like is read once; when it turns out to be another by now, again. */
  async #withSchemas<T>(work: (schemas: Schemas) => Promise<T>): Promise<T> {
    try {
      return await work(await this.#readSchemas());
    } catch (error) {
      const cause = error instanceof ApplyError ? error.cause : error;
      if (!/^(22|23|40|57)/.test(sqlState(cause) ?? '')) this.#schemas = undefined;
      throw error;
    }
  }

  #readSchemas(): Promise<Schemas> {
    this.#schemas ??= this.#db.snapshot((client) =>
      readSchemas(client, tablesOf(this.mapping, this.side)),
    );
    return this.#schemas;
  }
}
