import type { QueryConfig } from 'pg';

/** Names by SQL: whatever is prepared under a name must be the same everywhere. */
const names = new Map<string, string>();
/** What differs each time must not fill the server's memory. */
const MOST = 500;

/** A statement that each session of the server plans once. */
export function prepared(text: string, values: readonly unknown[]): QueryConfig {
  let name = names.get(text);
  if (name === undefined && names.size < MOST) {
    name = `fig_${names.size + 1}`;
    names.set(text, name);
  }
  return name === undefined ? { text, values: [...values] } : { name, text, values: [...values] };
}
