import type { Prepare } from './schema.ts';
import { name } from './values.ts';

/** A unique index as SQL that a trigger can ask of a row and of the one that is about to come. */
export interface UniqueRule {
  /** For people, and to see whether it is still the same. */
  readonly text: string;
  /** Columns alone, compared as their own collation does; else what follows says more. */
  readonly columns: readonly string[] | null;
  /** Expressions over columns without a table's name. */
  readonly parts: readonly string[];
  readonly where: string | null;
}

/** Every index of a table that makes something unique, the primary key included. */
export function uniqueRules(prepare: Prepare, table: string): readonly UniqueRule[] {
  const indexes = prepare(
    `SELECT l.name, s.sql FROM pragma_index_list(?) l LEFT JOIN sqlite_schema s
       ON s.type = 'index' AND s.name = l.name WHERE l."unique" = 1 ORDER BY l.name`,
  ).all(table) as { name: string; sql: string | null }[];
  return indexes.map(({ name: index, sql }) => ruleOf(prepare, index, sql));
}

function ruleOf(prepare: Prepare, index: string, sql: string | null): UniqueRule {
  const found = prepare('SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1').all(
    index,
  ) as {
    name: string | null;
    coll: string;
  }[];
  const declared = sql === null ? null : declarationOf(sql);
  const parts = found.map(({ name: column, coll }, nr) => {
    if (column !== null) return `${name(column)} COLLATE ${name(coll)}`;
    return declared?.parts[nr] ?? 'NULL';
  });
  const where = declared?.where ?? null;
  const plain =
    where === null && found.every(({ name: c, coll }) => c !== null && coll === 'BINARY');
  return {
    text: `unique index (${parts.join(', ')})${where === null ? '' : ` WHERE ${where}`}`,
    columns: plain ? found.map((part) => part.name ?? '') : null,
    parts,
    where,
  };
}

/** What stands in `CREATE UNIQUE INDEX i ON t (...) WHERE ...`. */
function declarationOf(sql: string): {
  readonly parts: readonly string[];
  readonly where: string | null;
} {
  const tokens = [
    ...sql.matchAll(
      /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|./gs,
    ),
  ];
  const parts: string[] = [];
  let [depth, part, end] = [0, '', sql.length];
  for (const { 0: token, index } of tokens) {
    if (/^(--|\/\*)/.test(token)) continue;
    if (token === ')') depth -= 1;
    if (depth > 0 && (depth > 1 || token !== ',')) part += token;
    if (depth === 1 && token === ',') {
      parts.push(part);
      part = '';
    }
    if (token === '(') depth += 1;
    if (token === ')' && depth === 0) {
      parts.push(part);
      end = index + 1;
      break;
    }
  }
  const where = /^\s*WHERE\s+([\s\S]*?);?\s*$/i.exec(sql.slice(end))?.[1] ?? null;
  return { parts: parts.map((text) => text.replace(/\s+(ASC|DESC)\s*$/i, '').trim()), where };
}

/**
 * What a table's rows can be numbered by besides their key; null where the key is that number, or where
 * they have none.
 */
export function rowidOf(prepare: Prepare, table: string): string | null {
  const without = prepare('SELECT wr FROM pragma_table_list WHERE name = ?').pluck().get(table);
  if (without !== 0) return null;
  const columns = prepare('SELECT name, type, pk FROM pragma_table_info(?)').all(table) as {
    name: string;
    type: string;
    pk: number;
  }[];
  const key = columns.filter(({ pk }) => pk > 0);
  if (key.length === 1 && /^INTEGER$/i.test(key[0]?.type ?? '')) return null;
  const taken = new Set(columns.map(({ name: column }) => column.toLowerCase()));
  return ['rowid', '_rowid_', 'oid'].find((word) => !taken.has(word)) ?? null;
}
