import { ConfigurationError } from '../../chassis/index.ts';
import type { ForeignTrigger } from './inspector.ts';
import { columnOn, keyColumnsOf, tablesOf, writes } from '../mapping/index.ts';
import type { Mapping, MappingProblem } from '../mapping/index.ts';
import { checkReferences } from './reference-check.ts';
import type { Finding, IndexFacts, Reference } from './reference.ts';
import type { SideName } from '../../routing/side.ts';

/** What a database says of a table. */
export interface TableFacts {
  /** Foreign keys from its rows, and to them; those within the table left out. */
  readonly references?: readonly Reference[];
  readonly columns: readonly string[];
  readonly indexes: readonly IndexFacts[];
  /** Columns that may be null. */
  readonly nullable: readonly string[];
  /** What else keeps it from being moved, as codes and texts. */
  readonly findings?: readonly Finding[];
}

/** Columns of the table's unique indexes; expression indexes are left out. */
export function uniqueColumnsOf({ indexes }: TableFacts): readonly (readonly string[])[] {
  return indexes
    .filter(({ unique, columns }) => unique && !columns.includes(''))
    .map(({ columns }) => columns);
}

/** The same for those that are asked for later than with each row. */
export function lateColumnsOf({ indexes }: TableFacts): readonly (readonly string[])[] {
  return uniqueColumnsOf({
    columns: [],
    nullable: [],
    indexes: indexes.filter(({ deferrable }) => deferrable === true),
  });
}

/** The same for those that take more than the same for equal. */
export function foldedColumnsOf({ indexes }: TableFacts): readonly (readonly string[])[] {
  return uniqueColumnsOf({
    columns: [],
    nullable: [],
    indexes: indexes.filter(({ folds }) => folds),
  });
}

/**
 * What keeps a mapping from being used with a database: missing tables and columns, columns that
 * nothing carries, keys that no index serves, triggers of others.
 * @param inspect what the database says of a table; undefined when there is none
 */
export function checkTables(
  mapping: Mapping,
  side: SideName,
  inspect: (table: string) => TableFacts | undefined,
  triggers: readonly ForeignTrigger[],
): readonly MappingProblem[] {
  return tablesOf(mapping, side).flatMap((table) => {
    const facts = inspect(table);
    const problem = ([code, message, column]: Finding): MappingProblem => ({
      code,
      pair: null,
      message: `${side} table ${table}: ${message}`,
      place: column === undefined ? table : `${table}.${column}`,
    });
    if (facts === undefined)
      return [problem(['no_table', `does not exist in this database; ${LACKING}`])];
    return [
      ...(facts.findings ?? []),
      ...checkColumns(mapping, side, table, facts),
      ...checkKeys(mapping, side, table, facts),
      ...checkCohortColumn(mapping, side, facts),
      ...checkReferences(mapping, side, table, facts.references ?? []),
      ...triggers
        .filter((trigger) => trigger.table === table && trigger.reason === null)
        .map(({ trigger }): Finding => [
          'foreign_trigger',
          `trigger ${trigger} would fire again for applied rows; remove it, or name it in ` +
            'triggers with the reason why it may',
        ]),
    ].map(problem);
  });
}

/** Triggers on a moved table that are not Fig's, with the reasons that the mapping gives for them. */
export function withReasons(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  triggers: readonly string[],
): readonly ForeignTrigger[] {
  const reasons = Object.assign(
    {},
    ...mapping.pairs.map((pair) => (pair[side].table === table ? pair[side].triggers : {})),
  ) as Record<string, string>;
  return triggers.map((trigger) => ({ side, table, trigger, reason: reasons[trigger] ?? null }));
}

const LACKING = 'make it, or start the engine with a mapping that does not name it';

function otherCase(name: string, names: readonly string[]): string {
  const like = names.find((one) => one.toLowerCase() === name.toLowerCase());
  return like === undefined ? '' : `, but ${like}: names are told apart by their case`;
}

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
        : [
            [
              'no_column',
              `has no column ${column}${otherCase(column, facts.columns)}; ${LACKING}`,
              column,
            ],
          ],
    ),
    ...facts.columns.flatMap((column): Finding[] =>
      written.has(column) || leftOut.has(column)
        ? []
        : [
            [
              'not_carried',
              `no pair carries ${column}; map it, or name it in leftOut with a reason`,
              column,
            ],
          ],
    ),
  ];
}

/** A row without a key would have no fence. */
function checkCohortColumn({ cohortKey }: Mapping, side: SideName, facts: TableFacts): Finding[] {
  const column = cohortKey?.[side];
  if (column === undefined || !facts.columns.includes(column)) return [];
  if (!facts.nullable.includes(column)) return [];
  return [
    [
      'cohort_key_nullable',
      `${column} may be null, and cohorts move by it; declare it NOT NULL`,
      column,
    ],
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

/** A change of the mapping or the schema helps against it; waiting does not. */
export class UnfitMappingError extends ConfigurationError {}

/** @throws UnfitMappingError that lists all problems, where there are any */
export function refuseProblems(capability: string, problems: readonly MappingProblem[]): void {
  if (problems.length === 0) return;
  const list = problems.map(({ code, message }) => `${code}: ${message}`).join('\n  ');
  throw new UnfitMappingError(`the mapping of ${capability} can't be used:\n  ${list}`);
}
