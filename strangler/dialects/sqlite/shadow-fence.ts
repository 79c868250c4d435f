import type { Mapping } from '../../mapping/index.ts';
import type { BypassingWrites, ShadowFence, ShadowReport } from '../../shadow-fence.ts';
import type { SideName } from '../../side.ts';
import type { SqliteConnection } from './connection.ts';
import { replaceTriggers } from './install.ts';

/** `ShadowFence` on SQLite, which knows no users: it can't say who wrote. */
export class SqliteShadowFence implements ShadowFence {
  readonly #db: SqliteConnection;
  readonly #mapping: Mapping;
  readonly #side: SideName;

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    this.#db = connection;
    this.#mapping = mapping;
    this.#side = side;
  }

  on(): Promise<void> {
    const { capability } = this.#mapping;
    return this.#db.transaction(() => {
      const watching = 'SELECT 1 FROM fig_watch WHERE capability = ? AND until IS NULL';
      if (this.#db.write(watching).get(capability) !== undefined) return;
      this.#db.write('DELETE FROM fig_trespass WHERE capability = ?').run(capability);
      this.#db
        .write('INSERT OR REPLACE INTO fig_watch (capability, since) VALUES (?, ?)')
        .run(capability, Date.now());
      this.#watch(1);
    });
  }

  off(): Promise<void> {
    const { capability } = this.#mapping;
    return this.#db.transaction(() => {
      this.#db
        .write('UPDATE fig_watch SET until = ? WHERE capability = ? AND until IS NULL')
        .run(Date.now(), capability);
      this.#watch(0);
    });
  }

  async report(): Promise<ShadowReport | null> {
    const { capability } = this.#mapping;
    return this.#db.snapshot(() => {
      const watch = this.#db
        .read('SELECT since, until FROM fig_watch WHERE capability = ?')
        .get(capability) as Pick<ShadowReport, 'since' | 'until'> | undefined;
      if (watch === undefined) return null;
      const writes = this.#db
        .read(
          `SELECT tbl AS "table", op, writes, first, newest FROM fig_trespass
             WHERE capability = ? ORDER BY newest DESC`,
        )
        .all(capability) as Omit<BypassingWrites, 'who'>[];
      return {
        on: watch.until === null,
        ...watch,
        writes: writes.map((one) => ({ ...one, who: [] })),
      };
    });
  }

  #watch(watch: 0 | 1): void {
    this.#db
      .write(`UPDATE fig_fence SET watch = ? WHERE capability = ? AND key = '*'`)
      .run(watch, this.#mapping.capability);
    replaceTriggers(this.#db, this.#mapping, this.#side);
  }
}
