import { LONGEST_NAME, renamedTable } from '../../completion/index.ts';
import type { CompletionRecord, Reader, RenamedTable } from '../../completion/index.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { NoticeWords, SideRetirement } from '../../side-retirement.ts';
import type { SideName } from '../../side.ts';
import type { JournalEntry, Lease } from '../../store.ts';
import type { SqliteConnection } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { dropTriggers, installedTriggers } from './install.ts';
import type { Prepare } from './schema.ts';
import { name } from './values.ts';

const RECORD = `id, capability, started_at AS startedAt, sealed_at AS sealedAt,
  finished_at AS finishedAt, outcome, reason`;

/** `SideRetirement` on SQLite. */
export class SqliteRetirement implements SideRetirement {
  readonly #db: SqliteConnection;
  readonly #mapping: Mapping;
  readonly #side: SideName;

  constructor(connection: SqliteConnection, mapping: Mapping, side: SideName) {
    this.#db = connection;
    this.#mapping = mapping;
    this.#side = side;
  }

  announce(words: NoticeWords | null): Promise<void> {
    return this.#db.transaction(() => this.#announce(words));
  }

  async reader(): Promise<Reader | null> {
    return this.#db.snapshot(() => {
      const found = this.#db.read(
        `SELECT asked AS times, asked_at AS newest, asked_for AS what FROM fig_notice
           WHERE capability = ? AND asked_at IS NOT NULL`,
      );
      return (found.get(this.#mapping.capability) as Reader | undefined) ?? null;
    });
  }

  async completion(): Promise<CompletionRecord | undefined> {
    return this.#db.snapshot(
      () =>
        this.#db
          .read(
            `SELECT ${RECORD} FROM fig_completion WHERE capability = ?
               ORDER BY started_at DESC, rowid DESC LIMIT 1`,
          )
          .get(this.#mapping.capability) as CompletionRecord | undefined,
    );
  }

  begin(record: CompletionRecord, lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      const open = 'SELECT 1 FROM fig_completion WHERE capability = ? AND outcome IS NULL';
      if (this.#db.write(open).get(record.capability) !== undefined) return false;
      this.#db
        .write('INSERT INTO fig_completion (id, capability, started_at) VALUES (?, ?, ?)')
        .run(record.id, record.capability, record.startedAt);
      return true;
    });
  }

  journal({ handover, step, detail }: Omit<JournalEntry, 'at'>, lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      this.#db
        .write('INSERT INTO fig_journal (handover, step, at, detail) VALUES (?, ?, ?, ?)')
        .run(handover, step, Date.now(), detail);
      return true;
    });
  }

  seal(id: string, lease: Lease): Promise<boolean> {
    return this.#leased(lease, () => {
      const sealed = this.#db.write(
        `UPDATE fig_completion SET sealed_at = coalesce(sealed_at, ?)
           WHERE id = ? AND outcome IS NULL AND EXISTS (SELECT 1 FROM fig_fence f
             WHERE f.capability = fig_completion.capability AND key = '*' AND state <> 'open')
             AND NOT EXISTS (SELECT 1 FROM fig_fence f
               WHERE f.capability = fig_completion.capability AND key <> '*')`,
      );
      return sealed.run(Date.now(), id).changes === 1;
    });
  }

  finish(
    id: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
  ): Promise<boolean> {
    return this.#leased(lease, () => {
      const finished = this.#db.write(
        `UPDATE fig_completion SET outcome = ?, reason = ?, finished_at = ?
           WHERE id = ? AND outcome IS NULL`,
      );
      return finished.run(outcome, reason, Date.now(), id).changes === 1;
    });
  }

  tables(): readonly RenamedTable[] {
    return tablesOf(this.#mapping, this.#side).map(renamedTable);
  }

  async obstacles(foreign: ReadonlyMap<string, string>): Promise<readonly string[]> {
    return this.#db.snapshot(() => [
      ...this.tables().flatMap(({ table, renamed }) =>
        this.#nameObstacles(table, renamed, foreign),
      ),
      ...this.#references(),
      ...this.#mentions(),
      ...this.#strangers(),
    ]);
  }

  async captured(): Promise<boolean> {
    return this.#db.snapshot(
      () => installedTriggers((sql) => this.#db.read(sql), this.#mapping.capability).size > 0,
    );
  }

  release(): Promise<void> {
    return this.#db.transaction(() => dropTriggers(this.#db, this.#mapping.capability));
  }

  async retired(): Promise<boolean> {
    return this.#db.snapshot(() => this.tables().every(({ table }) => !this.#exists(table)));
  }

  retire(words: NoticeWords): Promise<void> {
    return this.#db.transaction(() => {
      dropTriggers(this.#db, this.#mapping.capability);
      for (const { table, renamed } of this.tables()) {
        if (!this.#exists(table, (sql) => this.#db.write(sql))) continue;
        this.#db.execute(`ALTER TABLE ${name(table)} RENAME TO ${name(renamed)}`);
      }
      this.#announce(words);
      this.#db
        .write('UPDATE fig_notice SET retired_at = coalesce(retired_at, ?) WHERE capability = ?')
        .run(Date.now(), this.#mapping.capability);
    });
  }

  #announce(words: NoticeWords | null): void {
    const { capability } = this.#mapping;
    if (words === null) {
      this.#db.write('DELETE FROM fig_notice WHERE capability = ?').run(capability);
      return;
    }
    this.#db
      .write(
        `INSERT INTO fig_notice (capability, successor, since, sunset) VALUES (?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET successor = excluded.successor, since = excluded.since,
             sunset = excluded.sunset`,
      )
      .run(capability, words.successor, words.since, words.sunset);
  }

  #nameObstacles(
    table: string,
    renamed: string,
    foreign: ReadonlyMap<string, string>,
  ): readonly string[] {
    const owner = foreign.get(table);
    return [
      ...(owner === undefined ? [] : [`${table} is a table of ${owner}, too`]),
      ...(this.#exists(renamed) ? [`there is a table ${renamed} already`] : []),
      ...(renamed.length > LONGEST_NAME ? [`the name ${renamed} would be too long`] : []),
    ];
  }

  /** Foreign keys of tables that stay: they would follow the renamed table, and keep it alive. */
  #references(): readonly string[] {
    const own = new Set(this.tables().map(({ table }) => table.toLowerCase()));
    const keys = this.#db
      .read(
        `SELECT m.name AS child, f."table" AS parent FROM sqlite_schema m
           JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 2`,
      )
      .all() as { child: string; parent: string }[];
    return keys
      .filter(({ child, parent }) => own.has(parent.toLowerCase()) && !own.has(child.toLowerCase()))
      .map(({ child, parent }) => `a foreign key of ${child} refers to ${parent}; drop it first`);
  }

  /** Views and triggers that name a table: SQLite would rewrite them, and they would go on. */
  #mentions(): readonly string[] {
    const others = this.#db
      .read(
        `SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')
           AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
      )
      .all() as { type: string; name: string; sql: string }[];
    return this.tables().flatMap(({ table }) => {
      const mention = new RegExp(`(?<![\\w$])${table.replaceAll('$', '\\$')}(?![\\w$])`, 'i');
      return others
        .filter(({ sql }) => mention.test(sql))
        .map((found) => `${found.type} ${found.name} uses ${table}; drop it, or let it do without`);
    });
  }

  /** Rows that the capability does not own: where it has only some rows of a table, others remain. */
  #strangers(): readonly string[] {
    return this.tables().flatMap(({ table }) => {
      if (!this.#exists(table)) return [];
      const filters = this.#mapping.pairs
        .filter((pair) => pair[this.#side].table === table)
        .map((pair) => `(${filterSql(pair, this.#side)})`);
      const other = this.#db.read(
        `SELECT 1 FROM ${name(table)} WHERE NOT coalesce(${filters.join(' OR ')}, false) LIMIT 1`,
      );
      return other.get() === undefined ? [] : [`${table} has rows that are not the capability's`];
    });
  }

  #exists(table: string, prepare: Prepare = (sql) => this.#db.read(sql)): boolean {
    const found = prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`);
    return found.get(table) !== undefined;
  }

  #leased(lease: Lease, work: () => boolean): Promise<boolean> {
    return this.#db.transaction(() => {
      const token = this.#db
        .write('SELECT token FROM fig_lease WHERE capability = ?')
        .pluck()
        .get(this.#mapping.capability);
      return token === lease.token && work();
    });
  }
}
