/**
 * The columns of a table, each with its declaration, such as `TEXT NOT NULL`; under `RULES` what else
 * decides which rows it takes, as a JSON array of texts.
 */
export type TableShape = Readonly<Record<string, string>>;

/** No column has this name. */
export const RULES = '';

/** A shape as it was kept by an earlier version, which knew of columns only, made complete by now. */
export function completed(before: SchemaShape, now: SchemaShape): SchemaShape {
  return Object.fromEntries(
    Object.entries(before).map(([table, shape]) => {
      const rules = shape[RULES] ?? now[table]?.[RULES];
      return [table, rules === undefined ? shape : { ...shape, [RULES]: rules }];
    }),
  );
}

function rulesOf(shape: TableShape): readonly string[] {
  return JSON.parse(shape[RULES] ?? '[]') as string[];
}

/** Which rules came and went; nothing where they were not kept. */
function ruleDifferences(of: string, before: TableShape, now: TableShape): string[] {
  if (before[RULES] === undefined) return [];
  const [old, fresh] = [rulesOf(before), rulesOf(now)];
  return [
    ...old.filter((rule) => !fresh.includes(rule)).map((rule) => `${of} has lost its ${rule}`),
    ...fresh.filter((rule) => !old.includes(rule)).map((rule) => `${of} has a new ${rule}`),
  ];
}

/** The tables of a mapping on one side, as far as a change of them matters; by name. */
export type SchemaShape = Readonly<Record<string, TableShape>>;

/**
 * Says how a schema differs from what it was, one text for each table and column.
 * @param side for the texts
 */
export function differencesOf(
  side: string,
  before: SchemaShape,
  now: SchemaShape,
): readonly string[] {
  return Object.entries(before).flatMap(([table, columns]) => {
    const found = now[table];
    if (found === undefined) return [`${side} table ${table} is gone`];
    const of = `${side} table ${table}`;
    return [
      ...ruleDifferences(of, columns, found),
      ...Object.keys(columns)
        .filter((column) => column !== RULES && !(column in found))
        .map((column) => `${of} has lost its column ${column}`),
      ...Object.entries(found).flatMap(([column, declared]) => {
        if (column === RULES) return [];
        const known = columns[column];
        if (known === undefined) return [`${of} has a new column ${column} (${declared})`];
        if (known === declared) return [];
        return [`${of}: column ${column} was ${known} and is ${declared}`];
      }),
    ];
  });
}

/** @param tables of which a trigger of Fig's is missing or changed, once for each of these */
export function lostTriggers(side: string, tables: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const table of tables) counts.set(table, (counts.get(table) ?? 0) + 1);
  return [...counts].map(
    ([table, count]) =>
      `${side} table ${table} has lost ${count} of Fig's triggers: what was written there since ` +
      'was not captured',
  );
}
