import { errorText } from '../../../chassis/index.ts';
import { figureOf, LedgerChecks, readFollowed, readShape } from '../../ledger/index.ts';
import { keyColumns, tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { PackedChange } from '../../replication/packed-change.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import { differencesOf } from '../../check/schema-shape.ts';
import type { Measured, Sequence, SideChecks } from '../../sides/side-checks.ts';
import type { RowName } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import type { SqliteConnection } from './connection.ts';
import { installAnew, installedTriggers, LATER_TRIGGER, wantedTriggers } from './install.ts';
import { danglingText } from '../../check/dangling.ts';
import { danglingRows } from './dangling.ts';
import type { SqliteLedger, SqliteTx } from './ledger.ts';
import type { Prepare } from './schema.ts';
import { brokenSeals } from './seal.ts';
import { isOfEarlierVersion, shapeOf, triggerDrift } from './shape.ts';
import { feedTable } from './tables.ts';
import type { SqliteTarget } from './target.ts';
import { TRYING } from './triggers.ts';
import { bound, name } from './values.ts';

/** `SideChecks` on SQLite. */
export class SqliteChecks extends LedgerChecks<SqliteTx> implements SideChecks {
  readonly #db: SqliteConnection;
  readonly #target: SqliteTarget;
  readonly #read: Prepare;
  readonly #write: Prepare;
  #drift: { readonly version: unknown; readonly found: readonly string[] } | undefined;

  constructor(
    connection: SqliteConnection,
    ledger: SqliteLedger,
    mapping: Mapping,
    side: SideName,
    target: SqliteTarget,
  ) {
    super(ledger, mapping, side);
    this.#db = connection;
    this.#target = target;
    this.#read = (sql) => connection.read(sql);
    this.#write = (sql) => connection.write(sql);
  }

  drift(): Promise<readonly string[]> {
    const { capability } = this.mapping;
    return this.ledger.snapshot(async (tx) => {
      // The number grows with each change of the schema, so that this costs nothing most times.
      const version = this.#read('PRAGMA main.schema_version').pluck().get();
      const accepted = await readShape(tx, capability);
      const known = JSON.stringify([version, accepted]);
      if (this.#drift?.version !== known) {
        const wanted = wantedTriggers(this.#read, this.mapping, this.side);
        const installed = installedTriggers(this.#read, capability);
        const now = shapeOf(this.#read, this.mapping, this.side);
        const changed = accepted ? differencesOf(this.side, accepted, now) : [];
        const earlier = isOfEarlierVersion(accepted);
        const expected = [...wanted].filter(
          ([trigger]) => !earlier || !LATER_TRIGGER.test(trigger),
        );
        const other = earlier || changed.length > 0;
        const found = [
          ...changed,
          ...triggerDrift(this.side, new Map(expected), installed, other),
          ...(earlier ? [] : brokenSeals(this.#read, capability, this.side)),
        ];
        this.#drift = { version: known, found };
      }
      return this.#drift.found;
    });
  }

  accept(): Promise<void> {
    return installAnew(this.#db, this.mapping, this.side);
  }

  async sequences(): Promise<readonly Sequence[]> {
    return this.#db.snapshot(() =>
      this.#generated().map(({ table, column }): Sequence => {
        const most = `SELECT max(${name(column)}) FROM ${name(table)}`;
        const highest = (this.#read(most).pluck().safeIntegers().get() as bigint | null) ?? 0n;
        const given = this.#read('SELECT seq FROM sqlite_sequence WHERE name = ?')
          .pluck()
          .safeIntegers()
          .get(table) as bigint | undefined;
        return { table, column, at: given !== undefined && given > highest ? given : highest };
      }),
    );
  }

  moveSequences(to: readonly Sequence[]): Promise<void> {
    return this.#db.transaction(() => {
      for (const { table, at } of to) {
        const moved = this.#write('UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?');
        if (moved.run(at, table).changes > 0) continue;
        this.#write('INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)').run(table, at);
      }
    });
  }

  async dangling(): Promise<readonly string[]> {
    return this.#db.snapshot(() =>
      danglingRows(this.#read, this.mapping, this.side).map((one) => danglingText(this.side, one)),
    );
  }

  async measure(queries: readonly string[]): Promise<Measured> {
    const { capability } = this.mapping;
    return this.ledger.snapshot(async (tx) => ({
      position: this.#read(`SELECT max(position) FROM ${name(feedTable(capability))}`)
        .pluck()
        .get() as number,
      applied: (await readFollowed(tx, capability, this.side)).position,
      figures: queries.map((query) => this.#figure(query)),
    }));
  }

  tryCapture(rows: readonly RowName[]): Promise<readonly Change[]> {
    const { capability } = this.mapping;
    const feed = name(feedTable(capability));
    return this.takenBack(async () => {
      this.#write(`UPDATE fig_fence SET state = 'open' WHERE capability = ?`).run(capability);
      const last = this.#write(`SELECT max(position) FROM ${feed}`).pluck().get();
      for (const { table, key } of rows) {
        const columns = Object.keys(key).map((column) => name(column));
        const where = columns.map((column) => `${column} = ?`).join(' AND ');
        this.#write(`UPDATE ${name(table)} SET ${columns[0]} = ${columns[0]} WHERE ${where}`).run(
          ...Object.values(key).map((value) => bound(value)),
        );
      }
      const recorded = this.#write(
        `SELECT position, tx, tbl, key, op, image, epoch, at FROM ${feed}
           WHERE position > ? ORDER BY position`,
      );
      return (recorded.raw().all(last) as PackedRow[]).map((row) => new PackedChange(row));
    });
  }

  async tryApply(changes: readonly Change[]): Promise<void> {
    await this.takenBack(async () => {
      this.#write(`UPDATE main.fig_clock SET applying = ${TRYING} WHERE id = 1`).run();
      const target = this.#target.begin();
      for (const change of changes) target.apply(change);
    });
  }

  #figure(query: string): Measured['figures'][number] {
    try {
      return figureOf(
        this.#read(query).raw().safeIntegers().all() as (string | number | bigint | null)[][],
      );
    } catch (error) {
      return { problem: errorText(error) };
    }
  }

  /** Keys with AUTOINCREMENT: a table without it gives the id of its last row again, on any side. */
  #generated(): readonly { table: string; column: string }[] {
    return tablesOf(this.mapping, this.side).flatMap((table) => {
      const sql = this.#read(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`)
        .pluck()
        .get(table) as string | undefined;
      if (!/\bAUTOINCREMENT\b/i.test(sql ?? '')) return [];
      const column = this.#read('SELECT name FROM pragma_table_info(?) WHERE pk > 0')
        .pluck()
        .get(table) as string;
      const mapped = this.mapping.pairs.some(
        (pair) => pair[this.side].table === table && keyColumns(pair, this.side).join() === column,
      );
      return mapped ? [{ table, column }] : [];
    });
  }
}
