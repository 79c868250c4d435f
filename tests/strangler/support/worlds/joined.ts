import { enumeration } from '../../../../strangler/mapping/index.ts';
import { cells, codecs, quoted, view } from './view.ts';
import type { Shape } from './view.ts';

/** Two tables become one, in which a code tells whether the second had a row. */
export const joinedShape: Shape = ({ name, tables, keys, facets, parts, unique }) => {
  const [[first, second], extracted] = [tables.legacy, tables.extracted[0]];
  const [flag, mark] = ['Has It?', 'has_it'];
  const key = codecs(keys);
  const entity = {
    name,
    keys,
    facets,
    parts,
    partOptional: true,
    views: {
      legacy: [
        view({ table: first, side: 'legacy', keys, facets, unique }, (thing) => ({
          ...cells(keys, 'legacy', thing.key),
          ...cells(facets, 'legacy', thing.values),
        })),
        {
          ...view(
            {
              table: second,
              side: 'legacy',
              keys,
              facets: parts,
              more: [`${quoted(flag)} TEXT NOT NULL CHECK (${quoted(flag)} IN ('Y', 'N'))`],
            },
            (thing) =>
              thing.part === null
                ? null
                : {
                    ...cells(keys, 'legacy', thing.key),
                    ...cells(parts, 'legacy', thing.part),
                    [flag]: 'Y',
                  },
          ),
          columns: [...[...keys, ...parts].map(({ names }) => names.legacy), flag],
        },
      ],
      extracted: [
        {
          ...view(
            {
              table: extracted,
              side: 'extracted',
              keys,
              facets: [...facets, ...parts.map((part) => ({ ...part, nullable: true }))],
              unique,
              more: [`${mark} INTEGER`],
            },
            (thing) => ({
              ...cells(keys, 'extracted', thing.key),
              ...cells(facets, 'extracted', thing.values),
              ...cells(parts, 'extracted', thing.part ?? parts.map(() => null)),
              [mark]: thing.part === null ? null : 1n,
            }),
          ),
          columns: [...[...keys, ...facets, ...parts].map(({ names }) => names.extracted), mark],
        },
      ],
    },
    pairs: [
      {
        name,
        legacy: { table: first },
        extracted: { table: extracted },
        key,
        columns: codecs(facets),
      },
      {
        name: `${name}_part`,
        partOf: { pair: name, by: keys.map(({ names }) => names.legacy) },
        legacy: { table: second },
        extracted: {
          table: extracted,
          where: { [mark]: [0, 1] },
          resetTo: {
            [mark]: null,
            ...Object.fromEntries(parts.map(({ names }) => [names.extracted, null])),
          },
        },
        key,
        columns: [enumeration(flag, mark, { Y: 1, N: 0 }), ...codecs(parts)],
      },
    ],
  };
  return [entity];
};
