import { Problem } from '../../../chassis/index.ts';
import type { Mapping, MappingProblem } from '../../mapping/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';

/** What the check finds of a table of which not all rows are seen, or of which another one is seen. */
const HIDING: ReadonlySet<string> = new Set(['row_security', 'ambiguous_table']);

/**
 * Refuses to make one side what the other one is while rows of a table are hidden: what is not seen would
 * be taken for gone, and be removed over there.
 * @throws Problem `rows_hidden`, with the remedy
 */
export async function refuseHiddenRows(
  { capability }: Pick<Mapping, 'capability'>,
  sides: readonly SideDatabase[],
): Promise<void> {
  const problems: MappingProblem[] = [];
  for (const side of sides) problems.push(...(await side.problems()));
  const hiding = problems.filter(({ code }) => HIDING.has(code));
  if (hiding.length === 0) return;
  const why = hiding.map(({ message }) => message).join('; ');
  const detail = `rows of ${capability} may be hidden, and would be taken for deleted ones: ${why}`;
  throw new Problem(409, 'rows_hidden', detail, {
    members: { capability, next: `fig check ${capability}` },
  });
}
