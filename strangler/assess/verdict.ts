/** How well something can be moved; the worst of its parts is that of the whole. */
export type Verdict = 'fits' | 'choice' | 'cannot';

const ORDER: readonly Verdict[] = ['fits', 'choice', 'cannot'];

export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>(
    (left, right) => (ORDER.indexOf(right) > ORDER.indexOf(left) ? right : left),
    'fits',
  );
}

/**
 * Findings of `fig check` against which no choice in a mapping and no GRANT helps: the schema has to change, or the
 * table stays. All others are a choice.
 */
const CANNOT: Readonly<Record<string, string>> = {
  not_a_table: 'leave it where it is, or make it an ordinary table first',
  not_permanent: 'make it a permanent table first',
  key_not_unique: 'ALTER TABLE ... ADD PRIMARY KEY, or leave the table where it is',
  key_type: 'give it a key of another type, or leave the table where it is',
  key_encoding: 'move the rows to a database with ENCODING UTF8 first',
  key_equality: 'make the key text with a deterministic collation',
  null_key: 'give these rows a key',
  deferrable: 'make the key NOT DEFERRABLE',
  rules: 'drop the rules',
  no_table: 'name a table that exists, or create it',
  no_column: 'name a column that exists, or create it',
};

export function verdictOf(code: string): Verdict {
  return code in CANNOT ? 'cannot' : 'choice';
}

/** What helps, where the finding does not say it itself; null where it does. */
export function helpFor(code: string): string | null {
  return CANNOT[code] ?? null;
}
