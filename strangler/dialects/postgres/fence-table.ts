import type { Fence } from '../../../chassis/index.ts';
import { FenceRows, FenceCache, merged, movable, REST } from '../../fence-rows.ts';
import type { FenceDigest, KeyFence, Keys } from '../../fence-rows.ts';
import type { FenceMove } from '../../store.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';

const FENCE = `SELECT state, epoch FROM fig_fence WHERE capability = $1 AND key = '*'`;
const FENCES = `SELECT key, state, epoch FROM fig_fence WHERE capability = $1
  ORDER BY key = '*' DESC, key COLLATE "C"`;
const FENCES_OF = `SELECT key, state, epoch FROM fig_fence
  WHERE capability = $1 AND (key = '*' OR key = ANY ($2::text[]))`;
const GLANCE = `SELECT r.state, r.epoch, count(*) AS rows, sum(f.epoch)::bigint AS epochs,
    count(*) FILTER (WHERE f.state = 'open') AS open,
    count(*) FILTER (WHERE f.state = 'ceded') AS ceded
  FROM fig_fence r JOIN fig_fence f USING (capability) WHERE r.capability = $1 AND r.key = '*'
  GROUP BY r.state, r.epoch`;
/**
 * Keeps others from moving any fence, and lets those pass who only read them. It is always the row of
 * the rest that is locked for all: there may be thousands of keys.
 */
const KEEP_FENCES = `${FENCE} FOR NO KEY UPDATE`;

/**
 * The fences of one capability: the rest's, and those of keys that have their own. Whatever takes a
 * client is part of its transaction.
 */
export class FenceTable {
  readonly #db: PostgresConnection;
  readonly #capability: string;
  readonly #known = new FenceCache();

  constructor(connection: PostgresConnection, capability: string) {
    this.#db = connection;
    this.#capability = capability;
  }

  async rest(): Promise<Fence> {
    const { rows } = await this.#db.query<Fence & Record<string, unknown>>(FENCE, [
      this.#capability,
    ]);
    return fenceIn(rows, this.#capability);
  }

  async all(): Promise<FenceRows> {
    const { rows } = await this.#db.query<FenceDigest & Record<string, unknown>>(GLANCE, [
      this.#capability,
    ]);
    const [glance] = rows;
    if (glance === undefined) return new FenceRows([]);
    return this.#known.take(glance, async () => {
      const all = await this.#db.query<KeyFence & Record<string, unknown>>(FENCES, [
        this.#capability,
      ]);
      return all.rows;
    });
  }

  /**
   * The fences of a set, with that of the rest; all where everything is meant. They are kept where they
   * are until the transaction ends.
   */
  async of(client: PostgresClient, keys: Keys = null): Promise<readonly KeyFence[]> {
    const { rowCount } = await client.query(KEEP_FENCES, [this.#capability]);
    if (rowCount === 0) throw notInstalled(this.#capability);
    const all = [this.#capability];
    const found = await (keys === null
      ? client.query<KeyFence>(FENCES, all)
      : client.query<KeyFence>(FENCES_OF, [...all, keys]));
    return found.rows;
  }

  async set(
    client: PostgresClient,
    keys: readonly string[],
    { state, epoch }: Fence,
  ): Promise<void> {
    await client.query(
      `UPDATE fig_fence SET state = $1, epoch = $2 WHERE capability = $3 AND key = ANY ($4::text[])`,
      [state, epoch, this.#capability, keys],
    );
    if (!keys.includes(REST)) await this.#touch(client);
  }

  /**
   * A transaction whose snapshot is older than what has become of single keys would go by fences as
   * they were. It asks for the row of the rest, and notices when that was written since.
   */
  async #touch(client: PostgresClient): Promise<void> {
    await client.query(`UPDATE fig_fence SET epoch = epoch WHERE capability = $1 AND key = '*'`, [
      this.#capability,
    ]);
  }

  /** All of them or none. */
  async move(client: PostgresClient, move: FenceMove): Promise<boolean> {
    const moving = movable(await this.of(client, move.keys), move);
    if (moving === null) return false;
    const keys = moving.map(({ key }) => key);
    await this.set(client, keys, move.to);
    return true;
  }

  /** Gives keys fences of their own, equal to that of the rest, where they have none. */
  async split(client: PostgresClient, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const { rowCount } = await client.query(
      `INSERT INTO fig_fence (capability, key, state, epoch)
         SELECT capability, u.key, state, epoch FROM fig_fence, unnest($2::text[]) u (key)
         WHERE capability = $1 AND fig_fence.key = '*' ON CONFLICT DO NOTHING`,
      [this.#capability, keys],
    );
    if (rowCount !== 0) await this.#touch(client);
  }

  /** Once all keys are where the rest is, the rest's fence speaks for all. */
  async merge(client: PostgresClient): Promise<void> {
    const whole = merged(await this.of(client));
    if (whole === null) return;
    await this.set(client, [REST], whole);
    await client.query(`DELETE FROM fig_fence WHERE capability = $1 AND key <> '*'`, [
      this.#capability,
    ]);
  }
}

function fenceIn(rows: readonly Fence[], capability: string): Fence {
  const [fence] = rows;
  if (fence === undefined) throw notInstalled(capability);
  return { state: fence.state, epoch: fence.epoch };
}

function notInstalled(capability: string): Error {
  return new Error(`${capability} is not installed in this database`);
}
