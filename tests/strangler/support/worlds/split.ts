import type { Cells } from './entity.ts';
import { cells, codecs, view } from './view.ts';
import type { Shape } from './view.ts';

/** One table becomes two; the second holds what may be unknown as a whole, or always both do. */
export const splitShape =
  (optional: boolean): Shape =>
  ({ name, tables, keys, facets, parts, unique }) => {
    const loose = parts.map((part) => ({ ...part, nullable: optional || part.nullable }));
    const all = [...facets, ...loose];
    const [legacy, [first, second]] = [tables.legacy[0], tables.extracted];
    const nothing = loose.map(() => null);
    const says = (row: Cells): boolean => loose.some(({ names }) => row[names.extracted] !== null);
    const entity = {
      name,
      keys,
      facets,
      parts: loose,
      partOptional: optional,
      views: {
        legacy: [
          view({ table: legacy, side: 'legacy', keys, facets: all, unique }, (thing) => ({
            ...cells(keys, 'legacy', thing.key),
            ...cells(all, 'legacy', [...thing.values, ...(thing.part ?? nothing)]),
          })),
        ],
        extracted: [
          view({ table: first, side: 'extracted', keys, facets, unique }, (thing) => ({
            ...cells(keys, 'extracted', thing.key),
            ...cells(facets, 'extracted', thing.values),
          })),
          {
            ...view({ table: second, side: 'extracted', keys, facets: loose }, (thing) =>
              thing.part === null
                ? null
                : {
                    ...cells(keys, 'extracted', thing.key),
                    ...cells(loose, 'extracted', thing.part),
                  },
            ),
            ...(optional ? { says } : {}),
          },
        ],
      },
      pairs: [
        {
          name,
          legacy: { table: legacy },
          extracted: { table: first },
          key: codecs(keys),
          columns: codecs(facets),
        },
        {
          name: `${name}_part`,
          partOf: { pair: name, by: keys.map(({ names }) => names.legacy) },
          legacy: {
            table: legacy,
            resetTo: Object.fromEntries(
              loose.map(({ names, nullable, kind }) => [
                names.legacy,
                nullable ? null : (kind.fallback ?? null),
              ]),
            ),
          },
          extracted: { table: second, ...(optional ? { optional: true } : {}) },
          key: codecs(keys),
          columns: codecs(loose),
        },
      ],
    };
    return [entity];
  };
