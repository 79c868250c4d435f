/**
 * The columns of a table, each with its declaration, such as `TEXT NOT NULL`; under `RULES` what else
 * decides which rows it takes, as a JSON array of texts, and under `MADE` what tells it from another, as JSON.
 */
export type TableShape = Readonly<Record<string, string>>;

/** No column has this name. */
export const RULES = '';

/** Nor this one: what tells a column from another of the same name and type that has come in its place. */
export const MADE = '\0';

/** By what a PostgreSQL server tells a table and what it consists of from what has the same name. */
export interface TableMade {
  readonly oid: string;
  /** Where its rows are: another place after each statement that writes all of them anew. */
  readonly file: string;
  /** For each column its number in the table, and the transaction that declared it last. */
  readonly columns: Readonly<Record<string, readonly [nr: number, declaredBy: string]>>;
  /** What the types of columns consist of: values of enumerated types, attributes of composite ones. */
  readonly parts: Readonly<Record<string, string>>;
}

/** A shape as it was kept by an earlier version, which knew of columns only, made complete by now. */
export function completed(before: SchemaShape, now: SchemaShape): SchemaShape {
  return Object.fromEntries(
    Object.entries(before).map(([table, shape]) => {
      const rules = shape[RULES] ?? now[table]?.[RULES];
      const made = madeSince(shape[MADE], now[table]?.[MADE]);
      return [
        table,
        {
          ...shape,
          ...(rules === undefined ? {} : { [RULES]: rules }),
          ...(made === undefined ? {} : { [MADE]: made }),
        },
      ];
    }),
  );
}

/**
 * What is kept from now on: what there was, where something has come in its place and is still to be told.
 * A table that was restored from a dump is another one: what was kept of the former tells nothing of it.
 */
function madeSince(before: string | undefined, now: string | undefined): string | undefined {
  const [old, fresh] = [madeOf(before), madeOf(now)];
  if (old === null || fresh === null) return now ?? before;
  const whole = Object.keys(old.columns).every((column) => column in fresh.columns);
  return whole && madeDifferences('', old, fresh).length === 0 ? now : before;
}

function madeOf(text: string | undefined): TableMade | null {
  return text === undefined ? null : (JSON.parse(text) as TableMade);
}

/**
 * What has come in the place of something that had the same name. VACUUM FULL, CLUSTER and TRUNCATE give a
 * table another file, and other statements declare a column anew (SET STATISTICS); only one that computes
 * the values of a column does both.
 */
function madeDifferences(of: string, old: TableMade | null, fresh: TableMade | null): string[] {
  if (old === null || fresh === null || old.oid !== fresh.oid) return [];
  const columns = Object.entries(old.columns).flatMap(([column, [nr, declaredBy]]) => {
    const found = fresh.columns[column];
    if (found === undefined) return [];
    if (found[0] !== nr) return [`${of}: column ${column} is another one of that name`];
    const rewritten = old.file !== fresh.file && found[1] !== declaredBy;
    if (!rewritten) return [];
    return [
      `${of}: column ${column} was declared anew, and all rows were written anew: its values may be others ` +
        '(ALTER COLUMN ... TYPE ... USING), and no trigger has seen them',
    ];
  });
  const parts = Object.entries(old.parts).flatMap(([part, made]) => {
    if (fresh.parts[part] === undefined) return [`${of} has lost ${part}`];
    return fresh.parts[part] === made ? [] : [`${of}: ${part} is another one of that name`];
  });
  // A new value of an enumerated type changes no row.
  const added = Object.keys(fresh.parts)
    .filter((part) => part.startsWith('attribute ') && old.parts[part] === undefined)
    .map((part) => `${of} has a new ${part}`);
  return [...columns, ...parts, ...added];
}

function isExtra(column: string): boolean {
  return column === RULES || column === MADE;
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
      ...madeDifferences(of, madeOf(columns[MADE]), madeOf(found[MADE])),
      ...Object.keys(columns)
        .filter((column) => !isExtra(column) && !(column in found))
        .map((column) => `${of} has lost its column ${column}`),
      ...Object.entries(found).flatMap(([column, declared]) => {
        if (isExtra(column)) return [];
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
