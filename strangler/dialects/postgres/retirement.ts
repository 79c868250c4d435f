import { LedgerRetirement } from '../../ledger/index.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { NoticeWords } from '../../ownership/side-retirement.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PostgresConnection } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import type { PostgresLedger, PostgresTx } from './ledger.ts';
import { installedTriggers } from './replace-triggers.ts';
import { lockTables, persistently } from './table-locks.ts';
import { name } from './values.ts';

/** `SideRetirement` on PostgreSQL. */
export class PostgresRetirement extends LedgerRetirement<PostgresTx> {
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

  protected async dependents(tx: PostgresTx): Promise<readonly string[]> {
    return [...(await this.#references(tx)), ...(await this.#views(tx))];
  }

  /** Where the capability has only some rows of a table, others remain. */
  protected async hasStrangers(tx: PostgresTx, table: string): Promise<boolean> {
    const filters = this.mapping.pairs
      .filter((pair) => pair[this.side].table === table)
      .map((pair) => `(${filterSql(pair, this.side, 't')})`);
    const other = await tx.get(
      `SELECT FROM ${name(table)} t WHERE NOT coalesce(${filters.join(' OR ')}, false) LIMIT 1`,
    );
    return other !== undefined;
  }

  protected async isCaptured({ client }: PostgresTx): Promise<boolean> {
    return (await installedTriggers(client, this.mapping.capability)).length > 0;
  }

  protected async dropTriggers({ client }: PostgresTx): Promise<void> {
    for (const { trigger, relation } of await installedTriggers(client, this.mapping.capability)) {
      await client.query(`DROP TRIGGER ${name(trigger)} ON ${relation}`);
    }
  }

  protected override async announceIn(tx: PostgresTx, words: NoticeWords | null): Promise<void> {
    await super.announceIn(tx, words);
    if (words === null) return;
    // The program that shows it needs no more than this of what is Fig's.
    await tx.run('GRANT SELECT, UPDATE (asked, asked_at, asked_for) ON fig_notice TO PUBLIC');
  }

  /** A change of the schema waits for those who are writing, but not for long. */
  protected changing(work: (tx: PostgresTx) => Promise<void>): Promise<void> {
    const failed = `the old tables of ${this.mapping.capability} could not be put aside`;
    return persistently(this.#db, this.#names(), failed, () =>
      this.ledger.transaction(async (tx) => {
        const { client } = tx;
        const { rows } = await client.query<{ relation: string }>(
          `SELECT o::regclass::text AS relation FROM unnest(${OWN}) o WHERE o IS NOT NULL`,
          [this.#names()],
        );
        const captured = await installedTriggers(client, this.mapping.capability);
        const there = new Set([...rows, ...captured].map(({ relation }) => relation));
        await lockTables(client, [...there], 'ACCESS EXCLUSIVE');
        await work(tx);
      }),
    );
  }

  /** Foreign keys of tables that stay: they would follow the renamed table, and keep it alive. */
  async #references({ client }: PostgresTx): Promise<readonly string[]> {
    const { rows } = await client.query<{ child: string; parent: string; key: string }>(
      `SELECT c.conrelid::regclass::text AS child, p.relname AS parent, c.conname AS key
         FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
         WHERE c.contype = 'f' AND c.confrelid = ANY (${OWN}) AND c.conrelid <> ALL (${OWN})
         ORDER BY 1, 3`,
      [this.#names()],
    );
    return rows.map(
      ({ child, parent, key }) =>
        `the foreign key ${key} of ${child} refers to ${parent}; drop it first`,
    );
  }

  /** Views follow a renamed table, and would go on. */
  async #views({ client }: PostgresTx): Promise<readonly string[]> {
    const { rows } = await client.query<{ view: string; parent: string }>(
      `SELECT DISTINCT v.oid::regclass::text AS view, p.relname AS parent
         FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
         JOIN pg_class v ON v.oid = r.ev_class JOIN pg_class p ON p.oid = d.refobjid
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (${OWN})
           AND v.oid <> p.oid ORDER BY 1`,
      [this.#names()],
    );
    return rows.map(
      ({ view, parent }) => `view ${view} uses ${parent}; drop it, or let it do without`,
    );
  }

  #names(): readonly string[] {
    return tablesOf(this.mapping, this.side);
  }
}

/** The capability's tables, by their names as a parameter. */
const OWN = `(SELECT coalesce(array_agg(to_regclass(quote_ident(n))::oid), '{}')
  FROM unnest($1::text[]) n)::oid[]`;
