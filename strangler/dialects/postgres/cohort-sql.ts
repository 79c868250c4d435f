import { text } from './values.ts';

/** The state of a key's fence: of its own row if there is one, otherwise of the row of the rest. */
export function stateSql(capability: string, key: string): string {
  const row = (of: string): string =>
    `(SELECT f.state FROM fig_fence f WHERE f.capability = ${text(capability)} AND f.key = ${of})`;
  return `coalesce(${row(`(${key})::text`)}, ${row("'*'")})`;
}
