import type { Reader } from '../ownership/completion/gates.ts';
import { LONGEST_NAME, renamedTable } from '../ownership/completion/record.ts';
import type { CompletionRecord, RenamedTable } from '../ownership/completion/record.ts';
import { tablesOf } from '../mapping/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { NoticeWords, SideRetirement } from '../ownership/side-retirement.ts';
import type { SideName } from '../../routing/side.ts';
import type { JournalEntry, Lease } from './store.ts';
import type { Ledger, Tx } from './dialect.ts';
import { journalNow } from './journal.ts';
import { isHeld } from './leases.ts';

const RECORD = `id, capability, started_at AS "startedAt", sealed_at AS "sealedAt",
  finished_at AS "finishedAt", outcome, reason`;

/**
 * `SideRetirement` over a ledger. A dialect adds how its schema is looked at and changed, with the
 * transactions that it is given: what takes one is part of it.
 */
export abstract class LedgerRetirement<T extends Tx> implements SideRetirement {
  protected readonly mapping: Mapping;
  protected readonly side: SideName;
  protected readonly ledger: Ledger<T>;

  constructor(ledger: Ledger<T>, mapping: Mapping, side: SideName) {
    this.ledger = ledger;
    this.mapping = mapping;
    this.side = side;
  }

  /** What else refers to the tables and would break, or would go on unnoticed: one text each. */
  protected abstract dependents(tx: T): Promise<readonly string[]>;
  /** Whether a table has rows that the capability does not own. */
  protected abstract hasStrangers(tx: T, table: string): Promise<boolean>;
  /** Whether any of Fig's triggers is on the tables. */
  protected abstract isCaptured(tx: T): Promise<boolean>;
  protected abstract dropTriggers(tx: T): Promise<void>;
  /** A transaction that may change the tables' schema. */
  protected abstract changing(work: (tx: T) => Promise<void>): Promise<void>;

  announce(words: NoticeWords | null): Promise<void> {
    return this.ledger.transaction((tx) => this.announceIn(tx, words));
  }

  async reader(): Promise<Reader | null> {
    const found = await this.ledger.reads.get<Reader>(
      `SELECT asked AS times, asked_at AS newest, asked_for AS what FROM fig_notice
         WHERE capability = $1 AND asked_at IS NOT NULL`,
      [this.mapping.capability],
    );
    return found ?? null;
  }

  completion(): Promise<CompletionRecord | undefined> {
    const { reads, dialect } = this.ledger;
    return reads.get<CompletionRecord>(
      `SELECT ${RECORD} FROM fig_completion WHERE capability = $1
         ORDER BY started_at DESC, ${dialect.inserted} DESC LIMIT 1`,
      [this.mapping.capability],
    );
  }

  begin({ id, capability, startedAt }: CompletionRecord, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      const begun = await tx.run(
        `INSERT INTO fig_completion (id, capability, started_at)
           SELECT $1, $2, CAST($3 AS BIGINT) WHERE NOT EXISTS
             (SELECT 1 FROM fig_completion WHERE capability = $2 AND outcome IS NULL)`,
        [id, capability, startedAt],
      );
      return begun === 1;
    });
  }

  journal(entry: Omit<JournalEntry, 'at'>, lease: Lease): Promise<boolean> {
    return this.#leased(lease, async (tx) => {
      await journalNow(tx, this.ledger.dialect, entry);
      return true;
    });
  }

  seal(id: string, lease: Lease): Promise<boolean> {
    const { now } = this.ledger.dialect;
    return this.#leased(lease, async (tx) => {
      const sealed = await tx.run(
        `UPDATE fig_completion SET sealed_at = coalesce(sealed_at, ${now})
           WHERE id = $1 AND outcome IS NULL AND EXISTS (SELECT 1 FROM fig_fence f
             WHERE f.capability = fig_completion.capability AND key = '*' AND state <> 'open')
           AND NOT EXISTS (SELECT 1 FROM fig_fence f
             WHERE f.capability = fig_completion.capability AND key <> '*')`,
        [id],
      );
      return sealed === 1;
    });
  }

  finish(
    id: string,
    outcome: 'done' | 'aborted',
    reason: string | null,
    lease: Lease,
  ): Promise<boolean> {
    const { now } = this.ledger.dialect;
    return this.#leased(lease, async (tx) => {
      const finished = await tx.run(
        `UPDATE fig_completion SET outcome = $2, reason = $3, finished_at = ${now}
           WHERE id = $1 AND outcome IS NULL`,
        [id, outcome, reason],
      );
      return finished === 1;
    });
  }

  tables(): readonly RenamedTable[] {
    return tablesOf(this.mapping, this.side).map(renamedTable);
  }

  obstacles(foreign: ReadonlyMap<string, string>): Promise<readonly string[]> {
    return this.ledger.snapshot(async (tx) => {
      const found: string[] = [];
      for (const { table, renamed } of this.tables()) {
        const owner = foreign.get(table);
        if (owner !== undefined) found.push(`${table} is a table of ${owner}, too`);
        if (await this.#exists(tx, renamed)) found.push(`there is a table ${renamed} already`);
        if (Buffer.byteLength(renamed) > LONGEST_NAME) {
          found.push(`the name ${renamed} would be too long`);
        }
      }
      found.push(...(await this.dependents(tx)));
      for (const { table } of this.tables()) {
        if ((await this.#exists(tx, table)) && (await this.hasStrangers(tx, table))) {
          found.push(`${table} has rows that are not the capability's`);
        }
      }
      return found;
    });
  }

  captured(): Promise<boolean> {
    return this.ledger.snapshot((tx) => this.isCaptured(tx));
  }

  release(): Promise<void> {
    return this.changing((tx) => this.dropTriggers(tx));
  }

  retired(): Promise<boolean> {
    return this.ledger.snapshot(async (tx) => {
      for (const { table } of this.tables()) if (await this.#exists(tx, table)) return false;
      return true;
    });
  }

  retire(words: NoticeWords): Promise<void> {
    const { name, now } = this.ledger.dialect;
    return this.changing(async (tx) => {
      await this.dropTriggers(tx);
      for (const { table, renamed } of this.tables()) {
        if (!(await this.#exists(tx, table))) continue;
        await tx.run(`ALTER TABLE ${name(table)} RENAME TO ${name(renamed)}`);
      }
      await this.announceIn(tx, words);
      await tx.run(
        `UPDATE fig_notice SET retired_at = coalesce(retired_at, ${now}) WHERE capability = $1`,
        [this.mapping.capability],
      );
    });
  }

  protected async announceIn(tx: T, words: NoticeWords | null): Promise<void> {
    const { capability } = this.mapping;
    if (words === null) {
      await tx.run('DELETE FROM fig_notice WHERE capability = $1', [capability]);
      return;
    }
    await tx.run(
      `INSERT INTO fig_notice (capability, successor, since, sunset) VALUES ($1, $2, $3, $4)
         ON CONFLICT (capability) DO UPDATE SET successor = excluded.successor,
           since = excluded.since, sunset = excluded.sunset`,
      [capability, words.successor, words.since, words.sunset],
    );
  }

  async #exists(tx: T, table: string): Promise<boolean> {
    return (await tx.get(this.ledger.dialect.hasTable, [table])) !== undefined;
  }

  #leased(lease: Lease, work: (tx: T) => Promise<boolean>): Promise<boolean> {
    const { dialect } = this.ledger;
    return this.ledger.transaction(async (tx) => (await isHeld(tx, dialect, lease)) && work(tx));
  }
}
