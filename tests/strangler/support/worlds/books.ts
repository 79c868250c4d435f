import type { SqlValue } from '../../../../strangler/mapping/index.ts';
import type { SideName } from '../../../../routing/side.ts';
import type { Deed } from './deeds.ts';
import type { Cells, Entity, Thing, View } from './entity.ts';
import type { Value } from './facet.ts';
import type { Keeper } from './keeper.ts';
import type { World } from './world.ts';

/** What is known of a world without any database: what both sides are held against. */
export class Books {
  #things = new Map<Entity, Map<string, Thing>>();

  /** Writes a transaction down that the owner has accepted. */
  keep(deeds: readonly Deed[]): void {
    for (const deed of deeds) this.#keep(deed, this.#of(deed.entity));
  }

  /** Every row that a side must show, by table. */
  rows({ entities }: World, side: SideName): Record<string, string[]> {
    return byTable(entities, side, (view, entity) =>
      [...this.#of(entity).values()].flatMap((thing) => {
        const row = view.rowOf(thing);
        return row === null ? [] : [row];
      }),
    );
  }

  #of(entity: Entity): Map<string, Thing> {
    const known = this.#things.get(entity) ?? new Map<string, Thing>();
    this.#things.set(entity, known);
    return known;
  }

  #keep(deed: Deed, known: Map<string, Thing>): void {
    switch (deed.what) {
      case 'put':
        known.set(keyText(deed.thing.key), deed.thing);
        return;
      case 'drop':
        known.delete(keyText(deed.key));
        return;
      case 'rekey': {
        const thing = known.get(keyText(deed.key));
        if (thing === undefined) return;
        known.delete(keyText(deed.key));
        known.set(keyText(deed.to), { ...thing, key: deed.to });
        return;
      }
      default:
        known.clear();
    }
  }
}

/** Every row that a side shows, by table, as `Books.rows` has them. */
export async function shownRows(
  { entities }: World,
  side: SideName,
  keeper: Keeper,
): Promise<Record<string, string[]>> {
  const tables = new Map<string, readonly Cells[]>();
  for (const { table } of entities.flatMap(({ views }) => views[side])) {
    tables.set(table, await keeper.rows(table));
  }
  return byTable(entities, side, (view) => {
    const rows = tables.get(view.table) ?? [];
    // Two kinds of things may share a table, whose rows are shown once.
    tables.delete(view.table);
    return rows;
  });
}

function byTable(
  entities: readonly Entity[],
  side: SideName,
  rowsOf: (view: View, entity: Entity) => readonly Cells[],
): Record<string, string[]> {
  const tables: Record<string, string[]> = {};
  for (const entity of entities) {
    for (const view of entity.views[side]) {
      const rows = rowsOf(view, entity).filter((row) => view.says?.(row) ?? true);
      const texts = rows.map((row) => rowText(view.columns, row));
      tables[view.table] = [...(tables[view.table] ?? []), ...texts].sort();
    }
  }
  return tables;
}

const keyText = (key: readonly Value[]): string => JSON.stringify(key.map(valueText));

function rowText(columns: readonly string[], row: Cells): string {
  return columns.map((column) => `${column}: ${valueText(row[column] ?? null)}`).join(', ');
}

/** Tells 1, 1.0, '1' and x'31' apart. */
function valueText(value: Value | SqlValue): string {
  if (value === null) return 'NULL';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  if (typeof value === 'number' && Object.is(value, -0)) return 'number 0';
  return `${typeof value} ${typeof value === 'string' ? JSON.stringify(value) : String(value)}`;
}
