import * as fc from 'fast-check';
import { constant, copyOf, derived, enumeration } from '../../../../strangler/mapping/index.ts';
import type { Codec } from '../../../../strangler/mapping/index.ts';
import type { Entity, Thing } from './entity.ts';
import { MONEY, TIME } from './facet.ts';
import type { Facet, FacetKind } from './facet.ts';
import { cells, codecs, view } from './view.ts';
import type { Shape } from './view.ts';

const TEXT = { sqlite: 'TEXT', postgres: 'text' };
const KINDS_OF = { S: 'captured', D: 'declined' } as const;

/** A state, and when it was reached: on the other side an entry, which repeats the amount. */
const state: FacetKind = {
  values: fc.constantFrom('P', 'S', 'D'),
  legacy: { type: TEXT, write: String },
  extracted: { type: TEXT, write: (value) => KINDS_OF[value as 'S' | 'D'] },
  codec: (legacy, extracted) => enumeration(legacy, extracted, KINDS_OF),
};

const facet = (kind: FacetKind, legacy: string, extracted: string): Facet => ({
  kind,
  names: { legacy, extracted },
  nullable: false,
});

const AMOUNT = facet(MONEY, 'AMT', 'amount');
const STATE = facet(state, 'STAT', 'kind');
const MADE = facet(TIME, 'CRT', 'made_at');
const CHANGED = facet(TIME, 'UPD', 'at');
const ENTRY = 'settlement';

/** A status column becomes an entry of its own, told apart by a constant in its key. */
export const ledgerShape: Shape = ({ name, tables, keys }) => {
  const legacy = tables.legacy[0];
  const [first, second] = tables.extracted;
  const facets = [AMOUNT, STATE, MADE, CHANGED];
  const entry = view(
    {
      table: second,
      side: 'extracted',
      keys,
      facets: [STATE, AMOUNT, CHANGED],
      more: [`entry_id TEXT NOT NULL DEFAULT '${ENTRY}'`],
    },
    ({ key, values: [amount = null, status = null, , changed = null] }) =>
      status === 'P'
        ? null
        : {
            ...cells(keys, 'extracted', key),
            entry_id: ENTRY,
            ...cells([STATE, AMOUNT, CHANGED], 'extracted', [status, amount, changed]),
          },
  );
  const entity: Entity = {
    name,
    keys,
    facets,
    parts: [],
    partOptional: false,
    settle,
    views: {
      legacy: [
        view({ table: legacy, side: 'legacy', keys, facets }, ({ key, values }) => ({
          ...cells(keys, 'legacy', key),
          ...cells(facets, 'legacy', values),
        })),
      ],
      extracted: [
        view(
          { table: first, side: 'extracted', keys, facets: [AMOUNT, MADE] },
          ({ key, values: [amount = null, , made = null] }) => ({
            ...cells(keys, 'extracted', key),
            ...cells([AMOUNT, MADE], 'extracted', [amount, made]),
          }),
        ),
        {
          ...entry,
          ddl: { sqlite: keyed(entry.ddl.sqlite), postgres: keyed(entry.ddl.postgres) },
          keyOf: (key) => ({ ...cells(keys, 'extracted', key), entry_id: ENTRY }),
          columns: [...entry.columns, 'entry_id'],
        },
      ],
    },
    pairs: [
      {
        name,
        legacy: { table: legacy },
        extracted: { table: first },
        key: codecs(keys),
        columns: codecs([AMOUNT, MADE]),
      },
      {
        name: `${name}_settled`,
        partOf: { pair: name, by: keys.map(({ names }) => names.legacy) },
        legacy: {
          table: legacy,
          where: { STAT: ['S', 'D'] },
          resetTo: { STAT: 'P', UPD: copyOf('CRT') },
        },
        extracted: { table: second },
        key: [...codecs(keys), constant('extracted', 'entry_id', ENTRY)],
        columns: [...codecs([STATE, CHANGED]), repeated(AMOUNT)],
      },
    ],
  };
  return [entity];
};

function keyed(ddl: string): string {
  return ddl.replace(/PRIMARY KEY \((.*?)\)\)/, 'PRIMARY KEY ($1, entry_id))');
}

function repeated(amount: Facet): Codec {
  return derived('extracted', codecs([amount])[0] as Codec, 'the thing itself has it');
}

/** What is pending was never changed. */
function settle(thing: Thing): Thing {
  const [amount = null, status = null, made = null] = thing.values;
  return status === 'P' ? { ...thing, values: [amount, status, made, made] } : thing;
}
