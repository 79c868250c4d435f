import type { Fence } from '../../chassis/index.ts';
import { FenceRows, FenceCache, merged, movable, REST } from '../ownership/fence-rows.ts';
import type { FenceDigest, KeyFence, Keys } from '../ownership/fence-rows.ts';
import type { FenceMove } from './store.ts';
import type { Ledger, Reads, Tx } from './dialect.ts';

const REST_SQL = `SELECT state, epoch FROM fig_fence WHERE capability = $1 AND key = '*'`;
const DIGEST = `SELECT r.state, r.epoch, count(*) AS rows, CAST(sum(f.epoch) AS BIGINT) AS epochs,
    count(*) FILTER (WHERE f.state = 'open') AS open,
    count(*) FILTER (WHERE f.state = 'ceded') AS ceded
  FROM fig_fence r JOIN fig_fence f USING (capability) WHERE r.capability = $1 AND r.key = '*'
  GROUP BY r.state, r.epoch`;

/**
 * The fences of one capability: the rest's, and those of keys that have their own. Whatever takes a
 * transaction is part of it.
 */
export class FenceTable {
  readonly #ledger: Ledger;
  readonly #capability: string;
  readonly #known = new FenceCache();

  constructor(ledger: Ledger, capability: string) {
    this.#ledger = ledger;
    this.#capability = capability;
  }

  /** @throws where the capability is not installed */
  async rest(): Promise<Fence> {
    const fence = await this.#ledger.reads.get<Fence>(REST_SQL, [this.#capability]);
    if (fence === undefined) throw this.#notInstalled();
    return fence;
  }

  /** All fences: their digest is read each time, and the rows when it has changed. */
  async all(): Promise<FenceRows> {
    const { reads } = this.#ledger;
    const digest = await reads.get<FenceDigest>(DIGEST, [this.#capability]);
    if (digest === undefined) return new FenceRows([]);
    return this.#known.take(digest, () => this.#rows(reads));
  }

  /**
   * The fences of a set, with that of the rest; all where everything is meant. They stay what they are
   * until the transaction ends: the row of the rest is locked for all, since there may be thousands of
   * keys, and those who only read it pass.
   * @throws where the capability is not installed
   */
  async of(tx: Tx, keys: Keys = null): Promise<readonly KeyFence[]> {
    const { elements, forUpdate } = this.#ledger.dialect;
    const rest = await tx.get(`${REST_SQL} ${forUpdate}`, [this.#capability]);
    if (rest === undefined) throw this.#notInstalled();
    if (keys === null) return this.#rows(tx);
    return tx.all<KeyFence>(
      `SELECT key, state, epoch FROM fig_fence WHERE capability = $1
         AND (key = '*' OR key IN (SELECT value FROM ${elements('$2')}))`,
      [this.#capability, keys],
    );
  }

  async set(tx: Tx, keys: readonly string[], { state, epoch }: Fence): Promise<void> {
    const { elements } = this.#ledger.dialect;
    await tx.run(
      `UPDATE fig_fence SET state = $1, epoch = $2
         WHERE capability = $3 AND key IN (SELECT value FROM ${elements('$4')})`,
      [state, epoch, this.#capability, keys],
    );
    if (!keys.includes(REST)) await this.#touch(tx);
  }

  /** All of them or none. */
  async move(tx: Tx, move: FenceMove): Promise<boolean> {
    const moving = movable(await this.of(tx, move.keys), move);
    if (moving === null) return false;
    const keys = moving.map(({ key }) => key);
    await this.set(tx, keys, move.to);
    return true;
  }

  /** Gives keys fences of their own, equal to that of the rest, where they have none. */
  async split(tx: Tx, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const { elements } = this.#ledger.dialect;
    const made = await tx.run(
      `INSERT INTO fig_fence (capability, key, state, epoch)
         SELECT capability, value, state, epoch FROM fig_fence, ${elements('$2')}
         WHERE capability = $1 AND fig_fence.key = '*' ON CONFLICT DO NOTHING`,
      [this.#capability, keys],
    );
    if (made !== 0) await this.#touch(tx);
  }

  /** Once all keys are where the rest is, the rest's fence speaks for all. */
  async merge(tx: Tx): Promise<void> {
    const whole = merged(await this.of(tx));
    if (whole === null) return;
    await this.set(tx, [REST], whole);
    await tx.run(`DELETE FROM fig_fence WHERE capability = $1 AND key <> '*'`, [this.#capability]);
  }

  /**
   * A transaction whose snapshot is older than what has become of single keys would go by fences as
   * they were. It asks for the row of the rest, and notices when that was written since.
   */
  async #touch(tx: Tx): Promise<void> {
    await tx.run(`UPDATE fig_fence SET epoch = epoch WHERE capability = $1 AND key = '*'`, [
      this.#capability,
    ]);
  }

  #rows(tx: Reads): Promise<readonly KeyFence[]> {
    return tx.all<KeyFence>(
      `SELECT key, state, epoch FROM fig_fence WHERE capability = $1
         ORDER BY key = '*' DESC, key ${this.#ledger.dialect.inBytes}`,
      [this.#capability],
    );
  }

  #notInstalled(): Error {
    return new Error(`${this.#capability} is not installed in this database`);
  }
}
