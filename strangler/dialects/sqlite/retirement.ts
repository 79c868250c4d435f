import { LedgerRetirement } from '../../ledger/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { SqliteConnection } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { dropTriggers, installedTriggers } from './install.ts';
import type { SqliteLedger, SqliteTx } from './ledger.ts';
import { name } from './values.ts';

/** `SideRetirement` on SQLite. */
export class SqliteRetirement extends LedgerRetirement<SqliteTx> {
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

  protected async dependents(tx: SqliteTx): Promise<readonly string[]> {
    return [...(await this.#references(tx)), ...(await this.#mentions(tx))];
  }

  /** Where the capability has only some rows of a table, others remain. */
  protected async hasStrangers(tx: SqliteTx, table: string): Promise<boolean> {
    const filters = this.mapping.pairs
      .filter((pair) => pair[this.side].table === table)
      .map((pair) => `(${filterSql(pair, this.side)})`);
    const other = await tx.get(
      `SELECT 1 FROM ${name(table)} WHERE NOT coalesce(${filters.join(' OR ')}, false) LIMIT 1`,
    );
    return other !== undefined;
  }

  protected async isCaptured({ prepare }: SqliteTx): Promise<boolean> {
    return installedTriggers(prepare, this.mapping.capability).size > 0;
  }

  protected async dropTriggers(): Promise<void> {
    dropTriggers(this.#db, this.mapping.capability);
  }

  protected changing(work: (tx: SqliteTx) => Promise<void>): Promise<void> {
    return this.ledger.transaction(work);
  }

  /** Foreign keys of tables that stay: they would follow the renamed table, and keep it alive. */
  async #references(tx: SqliteTx): Promise<readonly string[]> {
    const own = new Set(this.tables().map(({ table }) => table.toLowerCase()));
    const keys = await tx.all<{ child: string; parent: string }>(
      `SELECT m.name AS child, f."table" AS parent FROM sqlite_schema m
         JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY 1, 2`,
    );
    return keys
      .filter(({ child, parent }) => own.has(parent.toLowerCase()) && !own.has(child.toLowerCase()))
      .map(({ child, parent }) => `a foreign key of ${child} refers to ${parent}; drop it first`);
  }

  /** Views and triggers that name a table: SQLite would rewrite them, and they would go on. */
  async #mentions(tx: SqliteTx): Promise<readonly string[]> {
    const others = await tx.all<{ type: string; name: string; sql: string }>(
      `SELECT type, name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')
         AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
    );
    return this.tables().flatMap(({ table }) => {
      const mention = new RegExp(`(?<![\\w$])${table.replaceAll('$', '\\$')}(?![\\w$])`, 'i');
      return others
        .filter(({ sql }) => mention.test(sql))
        .map((found) => `${found.type} ${found.name} uses ${table}; drop it, or let it do without`);
    });
  }
}
