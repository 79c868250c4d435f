import type { ForeignTrigger, SideInspector } from '../../check/inspector.ts';
import type { Step } from '../../check/step.ts';
import {
  decodeRow,
  imageColumnsOf,
  keyColumnsOf,
  secretColumnsOf,
  tablesOf,
} from '../../mapping/index.ts';
import type { Mapping, MappingProblem, Pair, Row, SqlValue } from '../../mapping/index.ts';
import { cascadesOf } from '../../replication/cascades.ts';
import type { ChildRemedy } from '../../replication/cascades.ts';
import { foldedColumnsOf, lateColumnsOf, uniqueColumnsOf } from '../../check/schema-check.ts';
import type { SideName } from '../../../routing/side.ts';
import { listedIn } from './check-list.ts';
import { probesOf } from './column-types.ts';
import { columnsOf, textOf } from './columns.ts';
import { PostgresConnection } from './connection.ts';
import type { PostgresClient } from './connection.ts';
import { filterSql } from './filter-sql.ts';
import { ColumnProbe } from './column-probe.ts';
import { installStatements, searchPathOf } from './install.ts';
import { orderSql } from './key-order.ts';
import { foreignTriggers, problemsOf } from './problems.ts';
import { readSchemas } from './schema.ts';
import type { Column, Schemas } from './schema.ts';
import { imageSql, name } from './values.ts';

interface About {
  readonly connection: PostgresConnection;
  readonly mapping: Mapping;
  readonly side: SideName;
  readonly schemas: Schemas;
  readonly searchPath: string;
  readonly roles: Roles;
  readonly problems: readonly MappingProblem[];
}

interface Roles {
  /** Who asks, as SQL. */
  readonly user: string;
  /** Who owns the tables, where that is somebody else; as SQL. */
  readonly owners: readonly string[];
}

/** Looks at one side's PostgreSQL database. Whatever it asks of tables is asked in transactions that can't write. */
export class PostgresInspector implements SideInspector {
  readonly side: SideName;
  readonly #about: About;
  readonly #probe: ColumnProbe;

  private constructor(about: About) {
    this.side = about.side;
    this.#about = about;
    const [known] = about.schemas.values();
    this.#probe = new ColumnProbe(about.connection, known?.encoding ?? '');
  }

  /** Reads what the database says of the mapping's tables. @throws UnreachableError */
  static async open(url: string, mapping: Mapping, side: SideName): Promise<PostgresInspector> {
    const connection = new PostgresConnection(url);
    try {
      return await connection.snapshot(async (client) => {
        const schemas = await readSchemas(client, tablesOf(mapping, side));
        const searchPath = await searchPathOf(client);
        const roles = await rolesOf(client, tablesOf(mapping, side));
        const problems = await problemsOf(client, mapping, side, schemas);
        return new PostgresInspector({
          connection,
          mapping,
          side,
          schemas,
          searchPath,
          roles,
          problems,
        });
      });
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async problems(): Promise<readonly MappingProblem[]> {
    return this.#about.problems;
  }

  async triggers(): Promise<readonly ForeignTrigger[]> {
    const { schemas, mapping } = this.#about;
    return foreignTriggers(schemas, mapping, this.side);
  }

  stored(table: string, column: string, values: readonly SqlValue[]): Promise<readonly Step[]> {
    return this.#probe.ask(this.#column(table, column), values);
  }

  probes(table: string, column: string): readonly SqlValue[] {
    return probesOf(this.#column(table, column));
  }

  listed(table: string, column: string): readonly SqlValue[] | null {
    const { checks = [] } = this.#about.schemas.get(table) ?? {};
    const { labels } = this.#column(table, column);
    return (
      labels ?? checks.map((check) => listedIn(check, column)).find((list) => list !== null) ?? null
    );
  }

  isFormed(table: string, column: string): boolean {
    const { type, labels } = this.#column(table, column);
    return type === 'uuid' || labels !== null;
  }

  isNullable(table: string, column: string): boolean {
    return this.#column(table, column).nullable;
  }

  uniqueColumns(table: string): readonly (readonly string[])[] {
    return uniqueColumnsOf(
      this.#about.schemas.get(table) ?? { columns: [], nullable: [], indexes: [] },
    );
  }

  foldedColumns(table: string): readonly (readonly string[])[] {
    return foldedColumnsOf(
      this.#about.schemas.get(table) ?? { columns: [], nullable: [], indexes: [] },
    );
  }

  lateColumns(table: string): readonly (readonly string[])[] {
    return lateColumnsOf(
      this.#about.schemas.get(table) ?? { columns: [], nullable: [], indexes: [] },
    );
  }

  count(table: string): Promise<number> {
    return this.#number(`SELECT count(*) AS n FROM ${name(table)}`);
  }

  countWithoutKey(table: string): Promise<number> {
    const isNull = this.#key(table).map((column) => `${name(column)} IS NULL`);
    return this.#number(`SELECT count(*) AS n FROM ${name(table)} WHERE ${isNull.join(' OR ')}`);
  }

  async rows(table: string, after: Row | null, limit: number): Promise<readonly Row[]> {
    const { mapping, schemas } = this.#about;
    const key = columnsOf(schemas, table, this.#key(table));
    const order = key.map((column) => orderSql(column, 't') ?? `t.${name(column.name)}`);
    const present = key.map((column) => `t.${name(column.name)} IS NOT NULL`);
    const values = after === null ? [] : key.map((column) => textOf(after[column.name] ?? null));
    const from = key.map(({ declared }, index) => `$${index + 1}::${declared}`);
    const later = after === null ? [] : [`(${order.join(', ')}) > (${from.join(', ')})`];
    const columns = columnsOf(schemas, table, [
      ...imageColumnsOf(mapping, this.side, table),
      ...secretColumnsOf(mapping, this.side, table),
    ]);
    return this.#images(
      `SELECT ${imageSql('t', columns)} AS image FROM ${name(table)} t
         WHERE ${[...present, ...later].join(' AND ')} ORDER BY ${order.join(', ')} LIMIT ${limit}`,
      values,
    );
  }

  async duplicate(pair: Pair, columns: readonly string[]): Promise<Row | undefined> {
    const { table } = pair[this.side];
    const group = columns.map((column) => `t.${name(column)}`).join(', ');
    const present = columns.map((column) => `t.${name(column)} IS NOT NULL`);
    const [found] = await this.#images(
      `SELECT ${imageSql('t', columnsOf(this.#about.schemas, table, columns))} AS image
         FROM ${name(table)} t
         WHERE ${[filterSql(pair, this.side, 't'), ...present].join(' AND ')}
         GROUP BY ${group} HAVING count(*) > 1 LIMIT 1`,
      [],
    );
    return found;
  }

  async creates(): Promise<readonly string[]> {
    const { schemas, mapping, searchPath } = this.#about;
    return installStatements(schemas, mapping, this.side, searchPath);
  }

  /** Only who owns a table may make indexes of it, or take triggers out again. */
  grants(): readonly string[] {
    const { searchPath, roles } = this.#about;
    const [schema = 'public'] = searchPath.split(', ');
    return [
      `GRANT CREATE, USAGE ON SCHEMA ${schema} TO ${roles.user};`,
      ...roles.owners.map((owner) => `GRANT ${owner} TO ${roles.user};`),
      ...this.#children('cascade').map(
        (child) => `GRANT SELECT, UPDATE, DELETE ON ${name(child)} TO ${roles.user};`,
      ),
      ...this.#children('refuse').map(
        (child) => `GRANT SELECT ON ${name(child)} TO ${roles.user};`,
      ),
    ];
  }

  close(): Promise<void> {
    return this.#about.connection.close();
  }

  /** Tables that do not move, and whose rows go with those of others, or keep those from going. */
  #children(remedy: ChildRemedy): readonly string[] {
    const { schemas, mapping } = this.#about;
    const carried = [...schemas].flatMap(([table, { references = [] }]) =>
      cascadesOf(mapping, this.side, table, references, remedy),
    );
    return [...new Set(carried.map(({ child }) => child))];
  }

  #key(table: string): readonly string[] {
    return keyColumnsOf(this.#about.mapping, this.side, table);
  }

  #column(table: string, column: string): Column {
    return this.#about.schemas.get(table)?.byName.get(column) ?? { ...UNKNOWN, name: column };
  }

  async #number(sql: string): Promise<number> {
    const { connection } = this.#about;
    const { rows } = await connection.snapshot((client) => client.query<{ n: number }>(sql));
    return rows[0]?.n ?? 0;
  }

  async #images(sql: string, values: readonly (string | null)[]): Promise<Row[]> {
    const { connection } = this.#about;
    const { rows } = await connection.snapshot((client) =>
      client.query<{ image: string }>(sql, [...values]),
    );
    return rows.map(({ image }) => decodeRow(image));
  }
}

async function rolesOf(client: PostgresClient, tables: readonly string[]): Promise<Roles> {
  const { rows } = await client.query<{ user: string; owners: string | null }>(
    `SELECT quote_ident(current_user) AS user,
       (SELECT string_agg(DISTINCT quote_ident(pg_get_userbyid(c.relowner)), ', ')
         FROM unnest($1::text[]) n JOIN pg_class c ON c.oid = to_regclass(quote_ident(n))
         WHERE pg_get_userbyid(c.relowner) <> current_user) AS owners`,
    [tables],
  );
  const [{ user, owners } = { user: '', owners: null }] = rows;
  return { user, owners: owners?.split(', ') ?? [] };
}

/** Stands in for a column that there is not: that it is missing is a finding of its own. */
const UNKNOWN: Omit<Column, 'name'> = {
  type: 'text',
  declared: 'text',
  kind: 'text',
  nullable: true,
  generated: false,
  folds: false,
  always: false,
  labels: null,
};
