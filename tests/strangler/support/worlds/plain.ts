import type { SideName } from '../../../../routing/side.ts';
import type { Thing } from './entity.ts';
import { cells, codecs, view } from './view.ts';
import type { Shape } from './view.ts';

/** One table for one table. The legacy one has a column that nobody moves. */
export const plainShape: Shape = ({ name, tables, keys, facets, unique }) => {
  const whole = (side: SideName) => (thing: Thing) => ({
    ...cells(keys, side, thing.key),
    ...cells(facets, side, thing.values),
  });
  const [legacy, extracted] = [tables.legacy[0], tables.extracted[0]];
  const entity = {
    name,
    keys,
    facets,
    parts: [],
    partOptional: false,
    views: {
      legacy: [
        view(
          {
            table: legacy,
            side: 'legacy',
            keys,
            facets,
            unique,
            more: [`"kept here" TEXT DEFAULT 'x'`],
          },
          whole('legacy'),
        ),
      ],
      extracted: [
        view({ table: extracted, side: 'extracted', keys, facets, unique }, whole('extracted')),
      ],
    },
    pairs: [
      {
        name,
        legacy: { table: legacy, leftOut: { 'kept here': 'nobody reads it' } },
        extracted: { table: extracted },
        key: codecs(keys),
        columns: codecs(facets),
      },
    ],
  };
  return [entity];
};
