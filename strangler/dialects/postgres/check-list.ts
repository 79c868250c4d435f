import type { SqlValue } from '../../mapping/index.ts';
import { name } from './values.ts';

/** The values in `CHECK (column IN ('a', 'b'))`, as PostgreSQL tells it; null for any other CHECK. */
export function listedIn(check: string, column: string): readonly SqlValue[] | null {
  const quoted = /^[a-z_][a-z0-9_]*$/.test(column) ? column : name(column);
  const list = within(check, `CHECK ((${quoted} = ANY (ARRAY[`, '])))');
  // Of a varchar, both sides are made text first.
  const varchars = within(check, `CHECK (((${quoted})::text = ANY ((ARRAY[`, '])::text[])))');
  const found = list ?? varchars;
  if (found === undefined) return null;
  const values = [...found.matchAll(/'((?:[^']|'')*)'::[\w ]+|(-?\d+)/g)];
  return values.map(([, text, number]) =>
    text === undefined ? Number(number) : text.replaceAll("''", "'"),
  );
}

function within(text: string, start: string, end: string): string | undefined {
  if (!text.startsWith(start) || !text.endsWith(end)) return undefined;
  return text.slice(start.length, -end.length);
}
