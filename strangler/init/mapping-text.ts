import type { SurveyedColumn, SurveyedTable } from '../assess/index.ts';

/** What `fig init` could not know; a configuration has each of them as a comment. */
export const QUESTION = 'QUESTION:';

interface MappingOptions {
  readonly name: string;
  /** In the order in which their rows are copied. */
  readonly tables: readonly SurveyedTable[];
  /** All that there are. */
  readonly all: readonly SurveyedTable[];
  /** Where the functions come from. */
  readonly from: string;
}

/** The columns by which partners find each other; undefined where nothing makes a row one of a kind. */
export function keyOf({
  primaryKey,
  uniques,
  columns,
}: SurveyedTable): readonly string[] | undefined {
  if (primaryKey.length > 0) return primaryKey;
  const nullable = new Set(columns.filter((column) => column.nullable).map(({ name }) => name));
  return uniques.find((unique) => unique.every((column) => !nullable.has(column)));
}

/** A mapping to tables of the same names, in TypeScript. */
export function mappingText({ name, tables, all, from }: MappingOptions): string {
  const pairs = tables.map((table) => pairText(table, tables, all));
  const used = ['defineMapping', 'enumeration', 'same'].filter((word) =>
    [`defineMapping(`, ...pairs].some((text) => text.includes(`${word}(`)),
  );
  return `import { ${used.join(', ')} } from ${quoted(from)};

/** How each row of the monolith becomes one of the service, and back. */
export const ${variableOf(name)} = defineMapping({
  capability: ${quoted(name)},
  pairs: [
${pairs.join('\n')}
  ],
});
`;
}

/** What the mapping is called. */
export function variableOf(name: string): string {
  return `${name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}Mapping`;
}

function pairText(
  table: SurveyedTable,
  moved: readonly SurveyedTable[],
  all: readonly SurveyedTable[],
): string {
  const key = keyOf(table);
  const whole = wholeOf(table, moved);
  const generated = table.columns.filter((column) => column.generated);
  const carried = table.columns.filter(
    ({ name, generated: computed }) => !computed && key?.includes(name) !== true,
  );
  const lines = [
    `name: ${quoted(table.name)},`,
    ...(whole === undefined
      ? []
      : [
          `partOf: { pair: ${quoted(whole.parent)}, by: [${whole.columns.map(quoted).join(', ')}] },`,
        ]),
    'legacy: {',
    `  table: ${quoted(table.name)},`,
    ...(generated.length === 0
      ? []
      : [
          '  leftOut: {',
          ...generated.map(({ name }) => `    ${property(name)}: 'the database computes it',`),
          '  },',
        ]),
    ...triggerLines(table).map((line) => `  ${line}`),
    ...referenceLines(table, moved, all).map((line) => `  ${line}`),
    '},',
    `extracted: { table: ${quoted(table.name)} },`,
    ...(key === undefined
      ? [
          `// ${QUESTION} nothing makes a row of ${table.name} one of a kind. By which columns is it known?`,
        ]
      : []),
    ...identityLines(table),
    `key: [${(key ?? []).map(sameText).join(', ')}],`,
    'columns: [',
    ...carried.flatMap(columnLines).map((line) => `  ${line}`),
    '],',
  ];
  return ['    {', ...lines.map((line) => `      ${line}`), '    },'].join('\n');
}

/** The pair of which a table's rows are parts, where its key begins with that one's. */
function wholeOf(
  table: SurveyedTable,
  moved: readonly SurveyedTable[],
): SurveyedTable['references'][number] | undefined {
  const identifies = ({ columns, parent, parentColumns }: SurveyedTable['references'][number]) => {
    const root = moved.find(({ name }) => name === parent);
    return (
      root !== undefined &&
      root !== table &&
      wholeOf(root, moved) === undefined &&
      columns.length < table.primaryKey.length &&
      columns.every((column) => table.primaryKey.includes(column)) &&
      parentColumns.join() === root.primaryKey.join()
    );
  };
  const own = table.references.filter(identifies);
  return own.length === 1 ? own[0] : undefined;
}

function triggerLines({ triggers }: SurveyedTable): readonly string[] {
  return triggers.flatMap(({ name, sql }) => [
    `// ${QUESTION} may this trigger fire again, or not fire at all, for rows that the service has written?`,
    `// ${sql.replaceAll(/\s+/g, ' ')}`,
    `// triggers: { ${property(name)}: 'why that does no harm' },`,
  ]);
}

function referenceLines(
  table: SurveyedTable,
  moved: readonly SurveyedTable[],
  all: readonly SurveyedTable[],
): readonly string[] {
  const moves = (name: string): boolean => moved.some((one) => one.name === name);
  const out = table.references
    .filter(({ parent }) => !moves(parent))
    .map(({ columns, parent }) => ({
      name: `${table.name}(${columns.join(', ')})`,
      question: `${parent} stays. What if a row of it is deleted that rows of ${table.name} refer to?`,
      answer: `'why that does no harm'`,
    }));
  const into = all
    .filter(({ name }) => !moves(name))
    .flatMap(({ name, references }) =>
      references
        .filter(({ parent }) => parent === table.name)
        .map(({ columns, onDelete }) => ({
          name: `${name}(${columns.join(', ')})`,
          question: `${name} stays. What if the service deletes a row of ${table.name} that has some?`,
          answer: onDelete === 'CASCADE' || onDelete === 'SET NULL' ? 'cascade' : 'refuse',
        })),
    );
  const each = [...out, ...into];
  if (each.length === 0) return [];
  return [
    ...each.map(({ name, question }) => `// ${QUESTION} ${name}: ${question}`),
    '// cascade and refuse are imported like same; a text is the reason why nothing has to be done.',
    '// references: {',
    ...each.map(({ name, answer }) => `//   ${quoted(name)}: ${answer},`),
    '// },',
  ];
}

function identityLines({ name, columns }: SurveyedTable): readonly string[] {
  return columns
    .filter(({ identity }) => identity === 'always')
    .map(
      (column) =>
        `// ${QUESTION} may the monolith's table take ids of the service? ALTER TABLE ${name} ALTER ${column.name} SET GENERATED BY DEFAULT`,
    );
}

function columnLines(column: SurveyedColumn): readonly string[] {
  const { name, values, seen } = column;
  if (values !== null) {
    const codes = values.map((value) => `${property(value)}: ${quoted(value)}`);
    return [`enumeration(${quoted(name)}, ${quoted(name)}, { ${codes.join(', ')} }),`];
  }
  if (seen === null) return [`${sameText(name)},`];
  return [
    `// ${QUESTION} only ${seen.map(quoted).join(', ')} were seen here. If no other value may come, make it an enumeration.`,
    `${sameText(name)},`,
  ];
}

function sameText(column: string): string {
  return `same(${quoted(column)}, ${quoted(column)})`;
}

function property(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : quoted(name);
}

/** A text in TypeScript. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}
