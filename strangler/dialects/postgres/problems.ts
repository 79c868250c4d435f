import type { ForeignTrigger } from '../../check/inspector.ts';
import { checkMapping, columnOn, tablesOf } from '../../mapping/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import type { Finding } from '../../check/reference.ts';
import { checkTables, withReasons } from '../../check/schema-check.ts';
import type { TableFacts } from '../../check/schema-check.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PostgresClient } from './connection.ts';
import { orderIndexes, orderSql, TEXTS } from './key-order.ts';
import { checkRights } from './rights.ts';
import type { Schemas, TableSchema } from './schema.ts';
import { name } from './values.ts';

/** Why a mapping can't be used with a database as it is, for the user of the connection. */
export async function problemsOf(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
): Promise<readonly MappingProblem[]> {
  const found = checkSchemas(schemas, mapping, side);
  const missing = tablesOf(mapping, side).filter((table) => !schemas.has(table));
  const hints = missing.length === 0 ? new Map() : await whereTheyAre(client, missing);
  return [
    ...found.map((problem) => {
      const table = missing.find((one) => problem.message.startsWith(`${side} table ${one}: `));
      const hint = table === undefined ? undefined : (hints.get(table) as string | undefined);
      if (hint === undefined) return problem;
      const message = `${side} table ${table}: does not exist in this database; ${hint}`;
      return { ...problem, message };
    }),
    ...(await checkRights(client, mapping, side)),
  ];
}

/** A table that may be the one that was looked for in vain. */
interface Almost {
  readonly wanted: string;
  readonly table: string;
  readonly schema: string;
  /** The schema as SQL names it. */
  readonly quoted: string;
  readonly usable: boolean;
  readonly role: string;
  readonly [column: string]: unknown;
}

/** What is almost such a table, by the name that was looked for in vain. */
async function whereTheyAre(
  client: PostgresClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<Almost>(
    `SELECT n AS wanted, c.relname AS table, s.nspname AS schema, quote_ident(s.nspname) AS quoted,
         has_schema_privilege(s.oid, 'USAGE') AS usable, quote_ident(current_user) AS role
       FROM unnest($1::text[]) n JOIN pg_class c ON lower(c.relname) = lower(regexp_replace(n, '^.*[.]', ''))
         JOIN pg_namespace s ON s.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND s.nspname NOT IN ('pg_catalog', 'information_schema')
       ORDER BY n, c.relname = n DESC`,
    [tables],
  );
  const hints = new Map<string, string>();
  for (const { wanted, table, schema, quoted, usable, role } of rows) {
    if (hints.has(wanted)) continue;
    const plain = wanted.replace(/^.*[.]/, '');
    const without = wanted === plain ? '' : `name it ${plain}, without its schema, and `;
    if (table === plain && !usable) {
      hints.set(
        wanted,
        `there is one in schema ${schema}, into which ${role} may not look: GRANT USAGE ON SCHEMA ${quoted} TO ${role}`,
      );
      continue;
    }
    hints.set(
      wanted,
      table === plain
        ? `there is one in schema ${schema}, where the user of this URL does not look: ${without}add ` +
            `?options=-csearch_path%3D${schema} to the URL`
        : `there is ${schema}.${table}, and names are told apart by their case`,
    );
  }
  return hints;
}

/** Triggers on moved tables that are not Fig's. */
export function foreignTriggers(
  schemas: Schemas,
  mapping: Mapping,
  side: SideName,
): readonly ForeignTrigger[] {
  return tablesOf(mapping, side).flatMap((table) =>
    withReasons(mapping, side, table, schemas.get(table)?.foreign ?? []),
  );
}

/** What keeps a mapping from being used with this database. */
export function checkSchemas(
  schemas: Schemas,
  mapping: Mapping,
  side: SideName,
): readonly MappingProblem[] {
  const ownIndexes = orderIndexes(schemas, mapping, side);
  const withOwn = (table: string): TableFacts | undefined => {
    const facts = schemas.get(table);
    if (facts === undefined) return undefined;
    const own = ownIndexes.filter((index) => index.table === table);
    const indexes = own.map(({ columns }) => ({ unique: false, columns, binary: true }));
    return {
      ...facts,
      indexes: [...facts.indexes, ...indexes],
      findings: [...(facts.findings ?? []), ...unwritable(facts, mapping, side, table)],
    };
  };
  return [
    ...checkMapping(mapping),
    ...checkTables(mapping, side, withOwn, foreignTriggers(schemas, mapping, side)),
  ];
}

function unwritable(
  { byName, encoding }: TableSchema,
  mapping: Mapping,
  side: SideName,
  table: string,
): readonly Finding[] {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const keys = new Set(pairs.flatMap(({ key }) => key.map((codec) => columnOn(codec, side))));
  const carried = pairs.flatMap(({ key, columns }) =>
    [...key, ...columns].map((codec) => columnOn(codec, side)),
  );
  return [...new Set(carried)].flatMap((column): Finding[] => {
    const facts = byName.get(column ?? '');
    if (facts === undefined) return [];
    if (facts.generated) {
      const remedy = 'name it in leftOut instead';
      return [['generated', `${facts.name} is computed here; ${remedy}`, facts.name]];
    }
    if (facts.type === 'oid') {
      const remedy = 'make it bigint, or name it in leftOut with a reason';
      return [
        [
          'local_type',
          `${column} is an oid, which names something of this database alone; ${remedy}`,
          facts.name,
        ],
      ];
    }
    if (facts.always) {
      return [
        [
          'always_identity',
          `${facts.name} is GENERATED ALWAYS, so the applier may not give it a value; let the other side's be ` +
            `kept: ALTER TABLE ${name(table)} ALTER ${name(facts.name)} SET GENERATED BY DEFAULT`,
          facts.name,
        ],
      ];
    }
    if (keys.has(column) && facts.folds) {
      return [
        [
          'key_equality',
          `${facts.name} is a key whose values are equal to the database though they differ (${facts.declared}, ` +
            'or a nondeterministic collation): to the other side they name two rows; make it text with a ' +
            'deterministic collation, and unique by lower(...) where that is meant',
          facts.name,
        ],
      ];
    }
    if (keys.has(column) && TEXTS.has(facts.type) && !IN_UTF8_ORDER.has(encoding)) {
      return [
        [
          'key_encoding',
          `${column} is a key, and texts in a database of encoding ${encoding} are in another order than ` +
            'those of UTF-8; move the rows to a database with ENCODING UTF8 first',
          facts.name,
        ],
      ];
    }
    return keys.has(column) && orderSql(facts) === undefined
      ? [
          [
            'key_type',
            `${column} is ${facts.declared}, by which keys can't be put in order`,
            facts.name,
          ],
        ]
      : [];
  });
}

/** Encodings in which bytes are in the order of those of UTF-8. */
const IN_UTF8_ORDER = new Set(['UTF8', 'LATIN1', 'SQL_ASCII']);
