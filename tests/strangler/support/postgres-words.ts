/** A table's columns: its key, and the rest. */
export interface TableWords {
  readonly key: readonly string[];
  readonly rest: readonly string[];
}

/** Puts SQL as the histories have it, which is SQLite's, into PostgreSQL's words. */
export class PostgresWords {
  readonly #tables: Readonly<Record<string, TableWords>>;
  readonly #names: RegExp;

  constructor(tables: Readonly<Record<string, TableWords>>) {
    this.#tables = tables;
    const words = Object.entries(tables).flatMap(([table, { key, rest }]) => [
      table,
      ...key,
      ...rest,
    ]);
    const capital = [...new Set(words)].filter((word) => /[A-Z]/.test(word));
    // In quotes already, or within a text, it is left alone.
    this.#names = new RegExp(String.raw`(?<!["'\w-])(${capital.join('|')})(?!["'\w-])`, 'g');
  }

  /** REPLACE, for one, makes no room for other rows here; rows in the way refuse it. */
  of(sql: string): string {
    const [, verb, table = ''] = /^\s*(INSERT OR \w+|INSERT|REPLACE) INTO (\w+)/.exec(sql) ?? [];
    const { key = [], rest = [] } = this.#tables[table] ?? {};
    const body = sql
      .replace(/^\s*(INSERT OR \w+|REPLACE) INTO/, 'INSERT INTO')
      .replace(/^\s*UPDATE OR \w+/, 'UPDATE')
      .replace('ON CONFLICT DO UPDATE', `ON CONFLICT (${key.join(', ')}) DO UPDATE`);
    let index = 0;
    return `${body}${conflictOf(verb, key, rest)}`
      .replaceAll(this.#names, '"$1"')
      .replaceAll('?', () => `$${(index += 1)}`);
  }
}

function conflictOf(
  verb: string | undefined,
  key: readonly string[],
  rest: readonly string[],
): string {
  if (verb === 'INSERT OR IGNORE') return ' ON CONFLICT DO NOTHING';
  if (verb !== 'REPLACE' && verb !== 'INSERT OR REPLACE') return '';
  const set = rest.map((column) => `${column} = excluded.${column}`).join(', ');
  return ` ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set}`;
}
