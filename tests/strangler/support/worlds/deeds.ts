import * as fc from 'fast-check';
import type { SqlValue } from '../../../../strangler/mapping/index.ts';
import type { SideName } from '../../../../routing/side.ts';
import type { Event } from '../history.ts';
import type { Cells, Entity, Thing, View } from './entity.ts';
import { valueOf } from './facet.ts';
import type { Facet, Value } from './facet.ts';
import { quoted } from './view.ts';
import type { World } from './world.ts';

/** What happens to the things of a world, whichever side keeps them. */
export type Deed = { readonly entity: Entity } & (
  | { readonly what: 'put'; readonly thing: Thing; readonly anew: boolean }
  | { readonly what: 'drop'; readonly key: readonly Value[] }
  | { readonly what: 'rekey'; readonly key: readonly Value[]; readonly to: readonly Value[] }
  | { readonly what: 'wipe' }
);

const some = (facets: readonly Facet[]): fc.Arbitrary<Value[]> => fc.tuple(...facets.map(valueOf));

function deedsOf(entity: Entity): fc.Arbitrary<Deed> {
  return freely(entity).map((deed) => ({ ...deed, [fc.toStringMethod]: () => deedText(deed) }));
}

function deedText({ entity, ...deed }: Deed): string {
  return `${entity.name} ${fc.stringify(deed)}`;
}

function freely(entity: Entity): fc.Arbitrary<Deed> {
  const { keys, facets, parts, partOptional } = entity;
  const key = some(keys);
  const part = partOptional ? fc.option(some(parts), { nil: null, freq: 3 }) : some(parts);
  const { settle = (thing: Thing) => thing } = entity;
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc
        .record({ key, values: some(facets), part, anew: fc.boolean() })
        .map(({ anew, ...thing }): Deed => ({
          entity,
          what: 'put',
          anew,
          thing: settle(thing),
        })),
    },
    { weight: 4, arbitrary: key.map((gone): Deed => ({ entity, what: 'drop', key: gone })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(key, key)
        .map(([from, to]): Deed => ({ entity, what: 'rekey', key: from, to })),
    },
    { weight: 1, arbitrary: fc.constant<Deed>({ entity, what: 'wipe' }) },
  );
}

/** Transactions: each of some deeds, which happen together or not at all. */
export function historyOf(
  { entities }: World,
  { min, max }: { readonly min: number; readonly max: number },
): fc.Arbitrary<Deed[][]> {
  const deed = fc.oneof(...entities.map(deedsOf));
  const transaction = fc.array(deed, { minLength: 1, maxLength: 4 });
  return fc.array(transaction, { minLength: min, maxLength: max });
}

/** A transaction as the owner's side carries it out. */
export function asSql(side: SideName, deeds: readonly Deed[]): Event {
  return deeds.flatMap((deed) => deed.entity.views[side].flatMap((view) => statements(view, deed)));
}

function statements(view: View, deed: Deed): Event {
  const table = quoted(view.table);
  switch (deed.what) {
    case 'put': {
      const key = view.keyOf(deed.thing.key);
      const row = view.rowOf(deed.thing);
      if (row === null) return [remove(table, key)];
      return deed.anew ? [remove(table, key), insert(table, row)] : [upsert(table, key, row)];
    }
    case 'drop':
      return [remove(table, view.keyOf(deed.key))];
    case 'rekey': {
      const [from, to] = [view.keyOf(deed.key), view.keyOf(deed.to)];
      const set = Object.keys(to).map((column) => `${quoted(column)} = ?`);
      return [
        [
          `UPDATE ${table} SET ${set.join(', ')} WHERE ${equal(from)}`,
          ...Object.values(to),
          ...Object.values(from),
        ],
      ];
    }
    default:
      return [[`DELETE FROM ${table}${view.only === undefined ? '' : ` WHERE ${view.only}`}`]];
  }
}

type Statement = Event[number];

const equal = (cells: Cells): string =>
  Object.keys(cells)
    .map((column) => `${quoted(column)} = ?`)
    .join(' AND ');

function remove(table: string, key: Cells): Statement {
  return [`DELETE FROM ${table} WHERE ${equal(key)}`, ...Object.values(key)];
}

function insert(table: string, row: Cells): Statement {
  const columns = Object.keys(row).map(quoted);
  const marks = columns.map(() => '?').join(', ');
  return [`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`, ...Object.values(row)];
}

function upsert(table: string, key: Cells, row: Cells): Statement {
  const [sql, ...values] = insert(table, row);
  const others = Object.keys(row).filter((column) => !(column in key));
  const set = others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`);
  const then = set.length === 0 ? 'NOTHING' : `UPDATE SET ${set.join(', ')}`;
  const keyColumns = Object.keys(key).map(quoted).join(', ');
  return [`${sql} ON CONFLICT (${keyColumns}) DO ${then}`, ...(values as SqlValue[])];
}
