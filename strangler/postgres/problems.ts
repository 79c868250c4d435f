import { tablesOf } from '../mapping/index.ts';
import type { Mapping, MappingProblem } from '../mapping/index.ts';
import type { SideName } from '../side.ts';
import type { PostgresClient } from './connection.ts';
import { checkRights } from './rights.ts';
import { checkSchemas } from './schema.ts';
import type { Schemas } from './schema.ts';

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

/** What is almost such a table, by the name that was looked for in vain. */
async function whereTheyAre(
  client: PostgresClient,
  tables: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ wanted: string; table: string; schema: string }>(
    `SELECT n AS wanted, c.relname AS table, s.nspname AS schema
       FROM unnest($1::text[]) n JOIN pg_class c ON lower(c.relname) = lower(regexp_replace(n, '^.*[.]', ''))
         JOIN pg_namespace s ON s.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND s.nspname NOT IN ('pg_catalog', 'information_schema')
       ORDER BY n, c.relname = n DESC`,
    [tables],
  );
  const hints = new Map<string, string>();
  for (const { wanted, table, schema } of rows) {
    if (hints.has(wanted)) continue;
    const name = wanted.replace(/^.*[.]/, '');
    const without = wanted === name ? '' : `name it ${name}, without its schema, and `;
    hints.set(
      wanted,
      table === name
        ? `there is one in schema ${schema}, where the user of this URL does not look: ${without}add ` +
            `?options=-csearch_path%3D${schema} to the URL`
        : `there is ${schema}.${table}, and names are told apart by their case`,
    );
  }
  return hints;
}
