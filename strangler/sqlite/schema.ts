import type { Statement } from 'better-sqlite3';
import type { ForeignTrigger } from '../check/inspector.ts';
import type { SideName } from '../side.ts';
import { columnOn, keyColumnsOf, tablesOf, writes } from '../mapping/index.ts';
import type { Mapping, MappingProblem } from '../mapping/index.ts';

/** Gives a statement of a connection. */
export type Prepare = (sql: string) => Statement;

interface Index {
  readonly unique: boolean;
  readonly columns: readonly string[];
  readonly binary: boolean;
}

interface TableFacts {
  readonly columns: readonly string[];
  readonly indexes: readonly Index[];
}

/** What a database says of a table; undefined when there is none. */
function inspect(prepare: Prepare, table: string): TableFacts | undefined {
  const columns = prepare('SELECT name, pk FROM pragma_table_info(?)').all(table) as {
    name: string;
    pk: number;
  }[];
  if (columns.length === 0) return undefined;
  const primary = columns.filter(({ pk }) => pk > 0).sort((left, right) => left.pk - right.pk);
  const indexes = prepare(
    'SELECT name, "unique" AS uniq FROM pragma_index_list(?) WHERE partial = 0',
  ).all(table) as { name: string; uniq: number }[];
  const facts = indexes.map(({ name, uniq }): Index => {
    const parts = prepare('SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1').all(
      name,
    ) as { name: string | null; coll: string }[];
    return {
      unique: uniq === 1,
      columns: parts.map((part) => part.name ?? ''),
      binary: parts.every(({ coll }) => coll === 'BINARY'),
    };
  });
  // An INTEGER PRIMARY KEY is the table itself and has no index.
  const rowid: Index = { unique: true, columns: primary.map((c) => c.name), binary: true };
  const hasOwnIndex = facts.some(({ columns: own }) => own.join() === rowid.columns.join());
  return {
    columns: columns.map((column) => column.name),
    indexes: primary.length > 0 && !hasOwnIndex ? [...facts, rowid] : facts,
  };
}

/** Columns of the table's unique indexes; expression indexes are left out. */
export function uniqueColumns(prepare: Prepare, table: string): readonly (readonly string[])[] {
  const { indexes = [] } = inspect(prepare, table) ?? {};
  return indexes
    .filter(({ unique, columns }) => unique && !columns.includes(''))
    .map(({ columns }) => columns);
}

/**
 * What keeps a mapping from being used with this database: missing tables and columns, columns
 * that nothing carries, keys that no index serves.
 */
export function checkSchema(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly MappingProblem[] {
  return tablesOf(mapping, side).flatMap((table) => {
    const facts = inspect(prepare, table);
    const problem = (code: string, message: string): MappingProblem => ({
      code,
      pair: null,
      message: `${side} table ${table}: ${message}`,
    });
    if (facts === undefined) return [problem('no_table', 'does not exist in this database')];
    return [
      ...checkColumns(mapping, side, table, facts).map(([code, text]) => problem(code, text)),
      ...checkKeys(mapping, side, table, facts).map(([code, text]) => problem(code, text)),
      ...foreignTriggers(prepare, mapping, side)
        .filter((trigger) => trigger.table === table && trigger.reason === null)
        .map(({ trigger }) =>
          problem(
            'foreign_trigger',
            `trigger ${trigger} would fire again for applied rows; remove it, or name it in ` +
              'triggers with the reason why it may',
          ),
        ),
    ];
  });
}

/** Triggers on moved tables that are not Fig's. */
export function foreignTriggers(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly ForeignTrigger[] {
  return tablesOf(mapping, side).flatMap((table) => {
    const reasons = Object.assign(
      {},
      ...mapping.pairs.map((pair) => (pair[side].table === table ? pair[side].triggers : {})),
    ) as Record<string, string>;
    const names = prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?
         AND name NOT LIKE 'fig\\_%' ESCAPE '\\' ORDER BY name`,
    )
      .pluck()
      .all(table) as string[];
    return names.map((trigger) => ({ side, table, trigger, reason: reasons[trigger] ?? null }));
  });
}

type Finding = readonly [code: string, message: string];

function checkColumns(
  mapping: Mapping,
  side: SideName,
  table: string,
  facts: TableFacts,
): Finding[] {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  const codecs = pairs.flatMap(({ key, columns }) => [...key, ...columns]);
  const carried = new Set(codecs.map((codec) => columnOn(codec, side)));
  const written = new Set(
    codecs.filter((codec) => writes(codec, side)).map((codec) => columnOn(codec, side)),
  );
  const leftOut = new Set(pairs.flatMap((pair) => Object.keys(pair[side].leftOut ?? {})));
  return [
    ...[...carried].flatMap((column): Finding[] =>
      column === null || facts.columns.includes(column)
        ? []
        : [['no_column', `has no column ${column}`]],
    ),
    ...facts.columns.flatMap((column): Finding[] =>
      written.has(column) || leftOut.has(column)
        ? []
        : [
            [
              'not_carried',
              `no pair carries ${column}; map it, or name it in leftOut with a reason`,
            ],
          ],
    ),
  ];
}

function checkKeys(mapping: Mapping, side: SideName, table: string, facts: TableFacts): Finding[] {
  const findings: Finding[] = [];
  const rowKey = keyColumnsOf(mapping, side, table);
  if (
    !facts.indexes.some(({ unique, columns }) => unique && columns.every((c) => rowKey.includes(c)))
  ) {
    findings.push(['key_not_unique', `nothing makes (${rowKey.join(', ')}) unique`]);
  }
  for (const pair of mapping.pairs.filter((candidate) => candidate[side].table === table)) {
    const key = pair.key.map((codec) => columnOn(codec, side)).filter((column) => column !== null);
    const serving = facts.indexes.filter(({ columns }) =>
      columns.slice(0, key.length).every((column) => key.includes(column)),
    );
    if (serving.length === 0) {
      findings.push(['no_index', `pair "${pair.name}" needs an index on (${key.join(', ')})`]);
    } else if (!serving.some(({ binary }) => binary)) {
      findings.push(['key_collation', `(${key.join(', ')}) is not compared byte by byte`]);
    }
  }
  return findings;
}
