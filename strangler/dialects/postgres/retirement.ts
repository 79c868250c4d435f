import type { Reader } from '../../completion/gates.ts';
import { LONGEST_NAME, renamedTable } from '../../completion/record.ts';
import type { CompletionRecord, RenamedTable } from '../../completion/record.ts';
import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { NoticeWords, SideRetirement } from '../../side-retirement.ts';
import type { SideName } from '../../side.ts';
import type { JournalEntry, Lease } from '../../store.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { installedTriggers } from './replace-triggers.ts';
import { lockTables, persistently } from './table-locks.ts';
import { name, NOW_SQL } from './values.ts';

const RECORD = `id, capability, started_at AS "startedAt", sealed_at AS "sealedAt",
  finished_at AS "finishedAt", outcome, reason`;

/** `SideRetirement` on PostgreSQL. */
export class PostgresRetirement implements SideRetirement {
  readonly #db: PostgresConnection;
  readonly #mapping: Mapping;
  readonly #side: SideName;

  constructor(connection: PostgresConnection, mapping: Mapping, side: SideName) {
    this.#db = connection;
    this.#mapping = mapping;
    this.#side = side;
  }

  announce(words: NoticeWords | null): Promise<void> {
    return this.#db.transaction((client) => this.#announce(client, words));
  }

  async reader(): Promise<Reader | null> {
    const { rows } = await this.#db.query<Reader & Record<string, unknown>>(
      `SELECT asked AS times, asked_at AS newest, asked_for AS what FROM fig_notice
         WHERE capability = $1 AND asked_at IS NOT NULL`,
      [this.#mapping.capability],
    );
    return rows[0] ?? null;
  }

  async completion(): Promise<CompletionRecord | undefined> {
    const { rows } = await this.#db.query<CompletionRecord & Record<string, unknown>>(
      `SELECT ${RECORD} FROM fig_completion WHERE capability = $1
         ORDER BY started_at DESC, nr DESC LIMIT 1`,
      [this.#mapping.capability],
    );
    return rows[0];
  }

  begin({ id, capability, startedAt }: CompletionRecord, lease: Lease): Promise<boolean> {
    return this.#leased(
      lease,
      `INSERT INTO fig_completion (id, capability, started_at)
         SELECT $1, $2, $3::bigint WHERE NOT EXISTS
           (SELECT FROM fig_completion WHERE capability = $2 AND outcome IS NULL)`,
      [id, capability, startedAt],
    );
  }

  journal({ handover, step, detail }: Omit<JournalEntry, 'at'>, lease: Lease): Promise<boolean> {
    return this.#leased(
      lease,
      `INSERT INTO fig_journal (handover, step, at, detail) VALUES ($1, $2, ${NOW_SQL}, $3)`,
      [handover, step, detail],
    );
  }

  seal(id: string, lease: Lease): Promise<boolean> {
    return this.#leased(
      lease,
      `UPDATE fig_completion SET sealed_at = coalesce(sealed_at, ${NOW_SQL})
         WHERE id = $1 AND outcome IS NULL AND EXISTS (SELECT FROM fig_fence f
           WHERE f.capability = fig_completion.capability AND key = '*' AND state <> 'open')
         AND NOT EXISTS (SELECT FROM fig_fence f
           WHERE f.capability = fig_completion.capability AND key <> '*')`,
      [id],
    );
  }

  finish(
    id: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
  ): Promise<boolean> {
    return this.#leased(
      lease,
      `UPDATE fig_completion SET outcome = $2, reason = $3, finished_at = ${NOW_SQL}
         WHERE id = $1 AND outcome IS NULL`,
      [id, outcome, reason],
    );
  }

  tables(): readonly RenamedTable[] {
    return tablesOf(this.#mapping, this.#side).map(renamedTable);
  }

  obstacles(foreign: ReadonlyMap<string, string>): Promise<readonly string[]> {
    return this.#db.snapshot(async (client) => {
      const found: string[] = [];
      for (const { table, renamed } of this.tables()) {
        const owner = foreign.get(table);
        if (owner !== undefined) found.push(`${table} is a table of ${owner}, too`);
        if (await exists(client, renamed)) found.push(`there is a table ${renamed} already`);
        if (Buffer.byteLength(renamed) > LONGEST_NAME) {
          found.push(`the name ${renamed} would be too long`);
        }
      }
      found.push(...(await this.#references(client)), ...(await this.#views(client)));
      for (const { table } of this.tables()) {
        if (await this.#hasStrangers(client, table)) {
          found.push(`${table} has rows that are not the capability's`);
        }
      }
      return found;
    });
  }

  captured(): Promise<boolean> {
    return this.#db.snapshot(
      async (client) => (await installedTriggers(client, this.#mapping.capability)).length > 0,
    );
  }

  release(): Promise<void> {
    return this.#changing((client) => this.#dropTriggers(client));
  }

  retired(): Promise<boolean> {
    return this.#db.snapshot(async (client) => {
      for (const { table } of this.tables()) if (await exists(client, table)) return false;
      return true;
    });
  }

  retire(words: NoticeWords): Promise<void> {
    return this.#changing(async (client) => {
      await this.#dropTriggers(client);
      for (const { table, renamed } of this.tables()) {
        if (!(await exists(client, table))) continue;
        await client.query(`ALTER TABLE ${name(table)} RENAME TO ${name(renamed)}`);
      }
      await this.#announce(client, words);
      await client.query(
        `UPDATE fig_notice SET retired_at = coalesce(retired_at, ${NOW_SQL}) WHERE capability = $1`,
        [this.#mapping.capability],
      );
    });
  }

  async #announce(client: PostgresClient, words: NoticeWords | null): Promise<void> {
    const { capability } = this.#mapping;
    if (words === null) {
      await client.query('DELETE FROM fig_notice WHERE capability = $1', [capability]);
      return;
    }
    await client.query(
      `INSERT INTO fig_notice (capability, successor, since, sunset) VALUES ($1, $2, $3, $4)
         ON CONFLICT (capability) DO UPDATE SET successor = excluded.successor,
           since = excluded.since, sunset = excluded.sunset`,
      [capability, words.successor, words.since, words.sunset],
    );
    // The program that shows it needs no more than this of what is Fig's.
    await client.query('GRANT SELECT, UPDATE (asked, asked_at, asked_for) ON fig_notice TO PUBLIC');
  }

  async #dropTriggers(client: PostgresClient): Promise<void> {
    for (const { trigger, relation } of await installedTriggers(client, this.#mapping.capability)) {
      await client.query(`DROP TRIGGER ${name(trigger)} ON ${relation}`);
    }
  }

  /** Foreign keys of tables that stay: they would follow the renamed table, and keep it alive. */
  async #references(client: PostgresClient): Promise<readonly string[]> {
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
  async #views(client: PostgresClient): Promise<readonly string[]> {
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

  /** Rows that the capability does not own: where it has only some rows of a table, others remain. */
  async #hasStrangers(client: PostgresClient, table: string): Promise<boolean> {
    if (!(await exists(client, table))) return false;
    const filters = this.#mapping.pairs
      .filter((pair) => pair[this.#side].table === table)
      .map((pair) => `(${filterSql(pair, this.#side, 't')})`);
    const { rowCount } = await client.query(
      `SELECT FROM ${name(table)} t WHERE NOT coalesce(${filters.join(' OR ')}, false) LIMIT 1`,
    );
    return rowCount === 1;
  }

  #names(): readonly string[] {
    return this.tables().map(({ table }) => table);
  }

  /** A change of the schema waits for those who are writing, but not for long. */
  #changing(work: (client: PostgresClient) => Promise<void>): Promise<void> {
    const failed = `the old tables of ${this.#mapping.capability} could not be put aside`;
    return persistently(this.#db, this.#names(), failed, () =>
      this.#db.transaction(async (client) => {
        const { rows } = await client.query<{ relation: string }>(
          `SELECT o::regclass::text AS relation FROM unnest(${OWN}) o WHERE o IS NOT NULL`,
          [this.#names()],
        );
        const captured = await installedTriggers(client, this.#mapping.capability);
        const there = new Set([...rows, ...captured].map(({ relation }) => relation));
        await lockTables(client, [...there], 'ACCESS EXCLUSIVE');
        await work(client);
      }),
    );
  }

  /** Runs a statement while the lease holds; whether it took effect. */
  #leased(lease: Lease, statement: string, values: readonly unknown[]): Promise<boolean> {
    return this.#db.transaction(async (client) => {
      const { rows } = await client.query<{ token: number }>(
        'SELECT token FROM fig_lease WHERE capability = $1 FOR SHARE',
        [this.#mapping.capability],
      );
      if (rows[0]?.token !== lease.token) return false;
      return (await client.query(statement, [...values])).rowCount === 1;
    });
  }
}

/** The capability's tables, by their names as a parameter. */
const OWN = `(SELECT coalesce(array_agg(to_regclass(quote_ident(n))::oid), '{}')
  FROM unnest($1::text[]) n)::oid[]`;

async function exists(client: PostgresClient, table: string): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    'SELECT to_regclass(quote_ident($1)) IS NOT NULL AS known',
    [table],
  );
  return rows[0]?.known === true;
}
