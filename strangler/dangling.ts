import type { SideName } from './side.ts';
import { plural } from './wording.ts';

/** Rows of a table whose foreign key names no row. */
export interface Dangling {
  readonly child: string;
  readonly columns: readonly string[];
  readonly parent: string;
  readonly rows: number;
}

export function danglingText(side: SideName, { child, columns, parent, rows }: Dangling): string {
  return `${side}: ${plural(rows, 'row')} of ${child} refer by ${child}(${columns.join(', ')}) to rows of ${parent} that are gone`;
}
