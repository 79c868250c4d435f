import { tablesOf } from '../../mapping/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { PostgresClient } from './connection.ts';

interface Rights {
  readonly user: string;
  readonly schema: string;
  readonly creates: boolean;
  /** Moved tables of which the user is neither owner nor member of the owner, as JSON. */
  readonly foreign: string;
}

interface ForeignTable {
  readonly table: string;
  readonly owner: string;
  readonly isSuper: boolean;
}

/** What installing needs and the user of the connection may not do, with the statement that allows it. */
export async function checkRights(
  client: PostgresClient,
  mapping: Mapping,
  side: SideName,
): Promise<readonly MappingProblem[]> {
  const { rows } = await client.query<Rights>(
    `SELECT quote_ident(current_user) AS user, quote_ident(coalesce(current_schema(),
         (SELECT trim(both ' "' from p) FROM unnest(string_to_array(current_setting('search_path'), ',')) p
           WHERE p NOT LIKE '%$user%' LIMIT 1), 'public')) AS schema,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
       coalesce((SELECT json_agg(json_build_object('table', n, 'owner', quote_ident(o.rolname), 'isSuper', o.rolsuper))
         FROM unnest($1::text[]) n LEFT JOIN pg_namespace s ON s.nspname =
             (SELECT trim(both ' "' from p) FROM unnest(string_to_array(current_setting('search_path'), ',')) p
               WHERE p NOT LIKE '%$user%' LIMIT 1)
           JOIN pg_class c ON c.oid = coalesce(to_regclass(quote_ident(n)), (SELECT t.oid FROM pg_class t
             WHERE t.relname = n AND t.relnamespace = s.oid AND t.relkind IN ('r', 'p')))
           JOIN pg_roles o ON o.oid = c.relowner
         WHERE NOT pg_has_role(c.relowner, 'USAGE')), '[]')::text AS foreign`,
    [tablesOf(mapping, side)],
  );
  const [{ user, schema, creates, foreign }] = rows as [Rights];
  const problem = (message: string, place?: string): MappingProblem => ({
    code: 'missing_right',
    pair: null,
    message: `${side} ${message}`,
    ...(place === undefined ? {} : { place }),
  });
  return [
    ...(creates
      ? []
      : [
          problem(
            `schema ${schema}: ${user} may not create tables in it; ` +
              `GRANT CREATE, USAGE ON SCHEMA ${schema} TO ${user}`,
          ),
        ]),
    ...(JSON.parse(foreign) as ForeignTable[]).map(({ table, owner, isSuper }) => {
      const other = isSuper
        ? ' (a superuser: rather give the table an owner without such rights first)'
        : '';
      return problem(
        `table ${table}: only ${owner}, its owner, may add triggers and indexes to it, and ${user} has no ` +
          `rights of that role; GRANT ${owner} TO ${user}${other}`,
        table,
      );
    }),
  ];
}
