import type { SideName } from '../../routing/side.ts';
import { plural } from '../wording.ts';

/** Rows of a table whose foreign key names no row. */
export interface Dangling {
  readonly child: string;
  readonly columns: readonly string[];
  readonly parent: string;
  /** Null where our user may not look. */
  readonly rows: number | null;
  /** What lets our user look; null where that is not missing. */
  readonly grant: string | null;
}

export function danglingText(
  side: SideName,
  { child, columns, parent, rows, grant }: Dangling,
): string {
  const named = `${child}(${columns.join(', ')})`;
  if (rows === null) {
    return (
      `${side}: Fig can't tell whether rows of ${child} refer by ${named} to rows of ${parent} that are gone, since ` +
      `this user may not read them; ${grant ?? ''}`
    );
  }
  return `${side}: ${plural(rows, 'row')} of ${child} refer by ${named} to rows of ${parent} that are gone`;
}
