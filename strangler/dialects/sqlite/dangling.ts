import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { Dangling } from '../../check/dangling.ts';
import type { SideName } from '../../../routing/side.ts';
import { referencesOf } from './schema.ts';
import type { Prepare } from './schema.ts';

interface Violation {
  readonly table: string;
  readonly parent: string;
  readonly fkid: number;
}

/** See the same for PostgreSQL. */
export function danglingRows(
  prepare: Prepare,
  mapping: Mapping,
  side: SideName,
): readonly Dangling[] {
  const references = tablesOf(mapping, side).flatMap((table) => referencesOf(prepare, table));
  const moved = new Set(tablesOf(mapping, side).map((table) => table.toLowerCase()));
  const isMoved = (table: string): boolean => moved.has(table.toLowerCase());
  const children = new Set(references.map(({ child }) => child));
  return [...children].flatMap((child) => {
    const columns = prepare(
      'SELECT id, "from" FROM pragma_foreign_key_list(?) ORDER BY id, seq',
    ).all(child) as { id: number; from: string }[];
    const counts = new Map<number, Dangling>();
    const broken = prepare('SELECT "table", parent, fkid FROM pragma_foreign_key_check(?)').all(
      child,
    ) as Violation[];
    for (const { parent, fkid } of broken) {
      if (!isMoved(child) && !isMoved(parent)) continue;
      const own = columns.filter(({ id }) => id === fkid).map(({ from }) => from);
      const rows = (counts.get(fkid)?.rows ?? 0) + 1;
      counts.set(fkid, { child, columns: own, parent, rows, grant: null });
    }
    return [...counts.values()];
  });
}
