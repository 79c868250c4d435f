import { constant, prefixed } from '../../../../strangler/mapping/index.ts';
import type { Entity, View } from './entity.ts';
import type { Value } from './facet.ts';
import { cells, codecs, view } from './view.ts';
import type { Parts, Shape } from './view.ts';

/** Two tables become one: a prefix of the key tells their rows apart, and a column says it as well. */
export const taggedShape: Shape = (parts) => [tagged(parts, 0, 'x:'), tagged(parts, 1, 'y:')];

function tagged({ name, tables, keys, facets }: Parts, index: 0 | 1, prefix: string): Entity {
  const [key] = keys;
  if (key === undefined) throw new Error('things need a key');
  const legacy = tables.legacy[index];
  const extracted = tables.extracted[0];
  const text = { ...key, kind: { ...key.kind, extracted: key.kind.legacy } };
  const id = (value: Value = null): string => `${prefix}${String(value)}`;
  const column = key.names.extracted;
  const shared: View = {
    ...view(
      {
        table: extracted,
        side: 'extracted',
        keys: [text],
        facets,
        more: ['tag TEXT NOT NULL'],
      },
      (thing) => ({
        [column]: id(thing.key[0]),
        ...cells(facets, 'extracted', thing.values),
        tag: prefix,
      }),
    ),
    keyOf: ([value]) => ({ [column]: id(value) }),
    only: `tag = '${prefix}'`,
    columns: [column, ...facets.map(({ names }) => names.extracted), 'tag'],
  };
  const own = view({ table: legacy, side: 'legacy', keys: [key], facets }, (thing) => ({
    ...cells([key], 'legacy', thing.key),
    ...cells(facets, 'legacy', thing.values),
  }));
  const unique = `${name}_${index}`;
  return {
    name: unique,
    keys: [key],
    facets,
    parts: [],
    partOptional: false,
    views: { legacy: [own], extracted: [shared] },
    pairs: [
      {
        name: unique,
        legacy: { table: legacy },
        extracted: { table: extracted },
        key: [prefixed(key.names.legacy, column, prefix)],
        columns: [constant('extracted', 'tag', prefix), ...codecs(facets)],
      },
    ],
  };
}
