import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { BypassingWrites, ShadowFence, ShadowReport } from '../../shadow-fence.ts';
import type { SideName } from '../../side.ts';
import type { PostgresConnection } from './connection.ts';
import { replaceTriggers } from './replace-triggers.ts';
import { persistently } from './table-locks.ts';
import { triggersOf } from './triggers.ts';

/** `ShadowFence` on PostgreSQL: it also knows who wrote. */
export class PostgresShadowFence implements ShadowFence {
  readonly #db: PostgresConnection;
  readonly #mapping: Mapping;
  readonly #side: SideName;

  constructor(connection: PostgresConnection, mapping: Mapping, side: SideName) {
    this.#db = connection;
    this.#mapping = mapping;
    this.#side = side;
  }

  on(): Promise<void> {
    return this.#watch(1, [
      `DELETE FROM fig_trespass WHERE capability = $1 AND NOT EXISTS
         (SELECT FROM fig_watch WHERE capability = $1 AND until IS NULL)`,
      `INSERT INTO fig_watch AS known (capability, since) VALUES ($1, ${Date.now()})
         ON CONFLICT (capability) DO UPDATE SET until = NULL,
           since = CASE WHEN known.until IS NULL THEN known.since ELSE excluded.since END`,
    ]);
  }

  off(): Promise<void> {
    return this.#watch(0, [
      `UPDATE fig_watch SET until = ${Date.now()} WHERE capability = $1 AND until IS NULL`,
    ]);
  }

  report(): Promise<ShadowReport | null> {
    const { capability } = this.#mapping;
    return this.#db.snapshot(async (client) => {
      const { rows: watches } = await client.query<Pick<ShadowReport, 'since' | 'until'>>(
        'SELECT since, until FROM fig_watch WHERE capability = $1',
        [capability],
      );
      const [watch] = watches;
      if (watch === undefined) return null;
      const { rows } = await client.query<Omit<BypassingWrites, 'who'> & { who: string }>(
        `SELECT tbl AS "table", op, sum(writes)::bigint AS writes, min(first) AS first,
             max(newest) AS newest, json_agg(DISTINCT who) AS who
           FROM fig_trespass WHERE capability = $1 GROUP BY tbl, op ORDER BY max(newest) DESC`,
        [capability],
      );
      const writes = rows.map((row) => ({ ...row, who: JSON.parse(row.who) as string[] }));
      return { on: watch.until === null, ...watch, writes };
    });
  }

  async #watch(watch: 0 | 1, statements: readonly string[]): Promise<void> {
    const mapping = this.#mapping;
    const { capability } = mapping;
    const failed = `who writes to ${capability} could not be ${watch === 1 ? 'watched' : 'left alone'}`;
    await persistently(this.#db, tablesOf(mapping, this.#side), failed, () =>
      this.#db.transaction(async (client) => {
        // First, since it may have to wait: whoever it waits for may want the rows below.
        await replaceTriggers(client, mapping, triggersOf(mapping, this.#side, watch === 1));
        for (const statement of statements) await client.query(statement, [capability]);
        await client.query(`UPDATE fig_fence SET watch = $2 WHERE capability = $1 AND key = '*'`, [
          capability,
          watch,
        ]);
      }),
    );
  }
}
