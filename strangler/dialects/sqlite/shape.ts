import { tablesOf } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { lostTriggers, RULES } from '../../check/schema-shape.ts';
import type { SchemaShape } from '../../check/schema-shape.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Prepare } from './schema.ts';
import { uniqueRules } from './unique-rules.ts';

/** The tables of a mapping as they are now. */
export function shapeOf(prepare: Prepare, mapping: Mapping, side: SideName): SchemaShape {
  const tables = tablesOf(mapping, side).flatMap((table) => {
    const columns = prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)').all(
      table,
    ) as { name: string; type: string; notnull: number; pk: number }[];
    if (columns.length === 0) return [];
    const shape = columns.map(({ name, type, notnull, pk }) => {
      const parts = [type, notnull === 1 ? 'NOT NULL' : '', pk > 0 ? `PRIMARY KEY ${pk}` : ''];
      return [name, parts.filter((part) => part !== '').join(' ')] as const;
    });
    const references = prepare(
      `SELECT 'reference to ' || "table" || ' ON UPDATE ' || on_update || ' ON DELETE ' || on_delete
         FROM pragma_foreign_key_list(?) ORDER BY 1`,
    )
      .pluck()
      .all(table) as string[];
    const rules = [...uniqueRules(prepare, table).map(({ text }) => text), ...references].sort();
    return [[table, { ...Object.fromEntries(shape), [RULES]: JSON.stringify(rules) }] as const];
  });
  return Object.fromEntries(tables);
}

/** Whether an earlier version has installed what there is: it kept less, and had fewer triggers. */
export function isOfEarlierVersion(installed: SchemaShape | undefined): boolean {
  return installed !== undefined && Object.values(installed).some((table) => !(RULES in table));
}

/**
 * Tables of which triggers are missing or not what they were, as one text each.
 * @param changed whether the tables have changed: then other triggers are wanted than there were
 */
export function triggerDrift(
  side: SideName,
  wanted: ReadonlyMap<string, string>,
  installed: ReadonlyMap<string, string>,
  changed = false,
): readonly string[] {
  const lost = [...wanted].filter(([trigger, sql]) =>
    changed ? !installed.has(trigger) : installed.get(trigger) !== sql,
  );
  const tables = lost.map(([trigger, sql]) => / ON "((?:[^"]|"")+)"/.exec(sql)?.[1] ?? trigger);
  return lostTriggers(side, tables);
}
