import { errorText } from '../../../chassis/index.ts';
import { figureOf, LedgerChecks, readFollowed, readShape } from '../../ledger/index.ts';
import { danglingText } from '../../check/dangling.ts';
import { danglingRows } from './dangling.ts';
import { keyColumns, tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { PackedChange } from '../../replication/packed-change.ts';
import type { PackedRow } from '../../replication/packed-change.ts';
import type { RowName } from '../../row-name.ts';
import { differencesOf, lostTriggers } from '../../check/schema-shape.ts';
import type { Measured, Sequence, SideChecks } from '../../sides/side-checks.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import { columnsOf, dataOf, dataSql, sameSql } from './columns.ts';
import { sqlState } from './errors.ts';
import type { PostgresClient, PostgresConnection } from './connection.ts';
import { APPLYING, TRYING } from './functions.ts';
import { installAnew } from './install.ts';
import { installedTriggers, isInPlace, wantedTriggers } from './replace-triggers.ts';
import { PostgresTx } from './ledger.ts';
import type { PostgresLedger } from './ledger.ts';
import { readSchemas } from './schema.ts';
import type { Sequencer } from './sequencer.ts';
import { shapeOf } from './shape.ts';
import { captureTable } from './tables.ts';
import { PostgresTarget } from './target.ts';
import { name } from './values.ts';

/**
 * How long whoever tries something waits for those who write here, in ms: others wait behind him, and
 * one who keeps what he wants may be among them (see `lockTables`).
 */
const SHORTLY = { lockMs: 400 };
/** A snapshot that others have overtaken is taken again so many times. */
const ATTEMPTS = 20;

/** `SideChecks` on PostgreSQL. */
export class PostgresChecks extends LedgerChecks<PostgresTx> implements SideChecks {
  readonly #db: PostgresConnection;
  readonly #sequencer: Sequencer;

  constructor(
    connection: PostgresConnection,
    ledger: PostgresLedger,
    sequencer: Sequencer,
    mapping: Mapping,
    side: SideName,
  ) {
    super(ledger, mapping, side);
    this.#db = connection;
    this.#sequencer = sequencer;
  }

  drift(): Promise<readonly string[]> {
    const { capability } = this.mapping;
    return this.#db.snapshot(async (client) => {
      const before = await readShape(new PostgresTx(client), capability);
      if (before === undefined) return [];
      const now = shapeOf(await readSchemas(client, tablesOf(this.mapping, this.side)));
      const wanted = await wantedTriggers(client, this.mapping, this.side);
      const installed = await installedTriggers(client, capability);
      const lost = wanted.filter((trigger) => !isInPlace(trigger, installed));
      return [
        ...differencesOf(this.side, before, now),
        ...lostTriggers(
          this.side,
          lost.map(({ table }) => table),
        ),
        ...(await this.#uncaptured(client)),
      ];
    });
  }

  /** Tables that capture could not cope with any more, as one text each. */
  async #uncaptured(client: PostgresClient): Promise<readonly string[]> {
    const known = await client.query(`SELECT WHERE to_regclass('fig_uncaptured') IS NOT NULL`);
    // Installed by an earlier version, and not yet brought up to date.
    if (known.rowCount === 0) return [];
    const { rows } = await client.query<{ tbl: string; reason: string; at: number }>(
      `SELECT DISTINCT ON (tbl) tbl, reason, at FROM fig_uncaptured WHERE capability = $1
         ORDER BY tbl, id`,
      [this.mapping.capability],
    );
    return rows.map(
      ({ tbl, reason, at }) =>
        `${this.side} table ${tbl}: writes since ${new Date(at).toISOString()} were not captured ` +
        `(${reason}); the mapping has to fit the table again, and both sides have to be compared`,
    );
  }

  accept(): Promise<void> {
    return installAnew(this.#db, this.mapping, this.side);
  }

  sequences(): Promise<readonly Sequence[]> {
    return this.#db.snapshot(async (client) => {
      const found: Sequence[] = [];
      for (const { table, column } of this.#keys()) {
        const sequence = await sequenceOf(client, table, column);
        if (sequence === undefined) continue;
        const { rows } = await client.query<{ at: number | bigint }>(
          `SELECT greatest((SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END
               FROM ${sequence}), (SELECT coalesce(max(${name(column)}), 0) FROM ${name(table)}))
             ::bigint AS at`,
        );
        found.push({ table, column, at: BigInt(rows[0]?.at ?? 0) });
      }
      return found;
    });
  }

  async moveSequences(to: readonly Sequence[]): Promise<void> {
    await this.#db.transaction(async (client) => {
      for (const { table, column, at } of to) {
        const sequence = await sequenceOf(client, table, column);
        if (sequence === undefined || at < 1n) continue;
        await client.query(
          `SELECT setval($1::regclass, greatest($2::bigint, last_value)) FROM ${sequence}`,
          [sequence, String(at)],
        );
      }
    });
  }

  dangling(): Promise<readonly string[]> {
    return this.#db.snapshot(async (client) =>
      (await danglingRows(client, this.mapping, this.side)).map((one) =>
        danglingText(this.side, one),
      ),
    );
  }

  /** Its moment must be one of the feed, too: so what it sees is given its positions in it. */
  async measure(queries: readonly string[]): Promise<Measured> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#db.transaction((client) => this.#measureIn(client, queries), {
          repeatable: true,
        });
      } catch (error) {
        if (sqlState(error) !== '40001' || attempt === ATTEMPTS) throw error;
      }
    }
  }

  tryCapture(rows: readonly RowName[]): Promise<readonly Change[]> {
    const { capability } = this.mapping;
    return this.takenBack(async ({ client }) => {
      const schemas = await readSchemas(client, tablesOf(this.mapping, this.side));
      await client.query(`UPDATE fig_fence SET state = 'open' WHERE capability = $1`, [capability]);
      for (const { table, key } of rows) {
        const keys = columnsOf(schemas, table, Object.keys(key));
        const first = name(keys[0]?.name ?? '');
        await client.query(
          `UPDATE ${name(table)} t SET ${first} = t.${first} FROM (${dataSql(keys)}) d
             WHERE ${sameSql(keys, 't', 'd')}`,
          dataOf(keys, [key]),
        );
      }
      const { rows: captured } = await client.query<unknown[]>({
        text: `SELECT seq, tx, tbl, key, op, image, epoch, at FROM ${name(captureTable(capability))}
                 WHERE tx = pg_current_xact_id()::text::bigint ORDER BY seq`,
        rowMode: 'array',
      });
      return captured.map((row) => new PackedChange(row as unknown as PackedRow));
    }, SHORTLY);
  }

  async tryApply(changes: readonly Change[]): Promise<void> {
    await this.takenBack(async ({ client }) => {
      const schemas = await readSchemas(client, tablesOf(this.mapping, this.side));
      await client.query(`${APPLYING}; ${TRYING}; SET CONSTRAINTS ALL DEFERRED`);
      const followed = { position: 0, mark: null };
      const found = { followed, complete: true, anyParked: false };
      const of = { client, mapping: this.mapping, side: this.side, schemas, found };
      await new PostgresTarget(of).applyAll(changes);
      await client.query('SET CONSTRAINTS ALL IMMEDIATE');
    }, SHORTLY);
  }

  async #measureIn(client: PostgresClient, queries: readonly string[]): Promise<Measured> {
    const position = await this.#sequencer.moveIn(client);
    const { capability } = this.mapping;
    const applied = await readFollowed(new PostgresTx(client), capability, this.side);
    const figures: Measured['figures'][number][] = [];
    for (const query of queries) figures.push(await figure(client, query));
    return { position, applied: applied.position, figures };
  }

  /** Keys of one column, which a sequence may give values to. */
  #keys(): readonly { table: string; column: string }[] {
    const keys = this.mapping.pairs.map((pair) => ({
      table: pair[this.side].table,
      columns: keyColumns(pair, this.side),
    }));
    const single = keys.filter(({ columns }) => columns.length === 1);
    const known = new Map(
      single.map(({ table, columns }) => [
        `${table}.${columns[0]}`,
        { table, column: columns[0] ?? '' },
      ]),
    );
    return [...known.values()];
  }
}

/** The sequence behind a serial or identity column, as SQL. */
async function sequenceOf(
  client: PostgresClient,
  table: string,
  column: string,
): Promise<string | undefined> {
  const { rows } = await client.query<{ sequence: string | null }>(
    'SELECT pg_get_serial_sequence(quote_ident($1), $2) AS sequence',
    [table, column],
  );
  return rows[0]?.sequence ?? undefined;
}

async function figure(client: PostgresClient, query: string): Promise<Measured['figures'][number]> {
  await client.query('SAVEPOINT fig_figure');
  try {
    const { rows } = await client.query<(string | number | bigint | null)[]>({
      text: query,
      rowMode: 'array',
    });
    await client.query('RELEASE fig_figure');
    return figureOf(rows);
  } catch (error) {
    await client.query('ROLLBACK TO fig_figure');
    return { problem: errorText(error) };
  }
}
