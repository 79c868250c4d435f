import * as fc from 'fast-check';
import type { Dialect } from '../../../../chassis/index.ts';
import { defineMapping } from '../../../../strangler/mapping/index.ts';
import type { Mapping } from '../../../../strangler/mapping/index.ts';
import type { SideName } from '../../../../routing/side.ts';
import type { Pairing } from '../owners.ts';
import type { Entity } from './entity.ts';
import { KEY_KINDS, KINDS, UNIQUE_KIND } from './facet.ts';
import type { Facet, FacetKind, Kinds } from './facet.ts';
import { joinedShape } from './joined.ts';
import { ledgerShape } from './ledger.ts';
import { plainShape } from './plain.ts';
import { splitShape } from './split.ts';
import { taggedShape } from './tagged.ts';
import type { Parts, Shape } from './view.ts';

/** Two schemas that say the same in different shapes, and the mapping between them. */
export interface World {
  readonly entities: readonly Entity[];
  readonly mapping: Mapping;
  readonly schemas: Readonly<Record<Dialect, Readonly<Record<SideName, string>>>>;
}

const SHAPES = {
  plain: plainShape,
  split: splitShape(false),
  optional: splitShape(true),
  joined: joinedShape,
  ledger: ledgerShape,
  tagged: taggedShape,
} as const satisfies Readonly<Record<string, Shape>>;

/** What a database allows as a name, and somebody once found a good idea. */
const ODD = ['Col', 'ORDER', 'from', 'Größe', 'a "b"', "it's", 'two words', '100%'] as const;

function facets(
  prefix: string,
  kinds: readonly FacetKind[],
  { min, max, always = false }: { min: number; max: number; always?: boolean },
): fc.Arbitrary<Facet[]> {
  const drawn = fc.record({
    kind: fc.constantFrom(...kinds),
    odd: fc.constantFrom(...ODD),
    nullable: always ? fc.constant(false) : fc.boolean(),
  });
  return fc.array(drawn, { minLength: min, maxLength: max }).map((list) =>
    list.map(({ kind, odd, nullable }, index) => ({
      kind,
      nullable,
      names: { legacy: `${odd} ${prefix}${index}`, extracted: `${prefix}_${index}` },
    })),
  );
}

const unique: fc.Arbitrary<Facet | null> = fc.constantFrom(null, {
  kind: UNIQUE_KIND,
  nullable: true,
  names: { legacy: 'Slug', extracted: 'slug' },
});

function entitiesOf(index: number, kinds: Kinds): fc.Arbitrary<readonly Entity[]> {
  return fc.constantFrom(...(Object.keys(SHAPES) as (keyof typeof SHAPES)[])).chain((shape) =>
    fc
      .record({
        keys:
          shape === 'tagged'
            ? facets('k', [KEY_KINDS[0]], { min: 1, max: 1, always: true })
            : facets('k', KEY_KINDS, { min: 1, max: 3, always: true }),
        own: facets('c', shape === 'tagged' ? kinds.part : kinds.whole, { min: 0, max: 5 }),
        parts: facets('p', kinds.part, { min: 1, max: 3 }),
        unique: shape === 'tagged' ? fc.constant(null) : unique,
      })
      .map(({ keys, own, parts, unique: slug }): readonly Entity[] => {
        const name = `${shape}_${index}`;
        const given: Parts = {
          name,
          tables: {
            legacy: [`TBL ${name}`, `TBL ${name} "2"`],
            extracted: [name, `${name}_more`],
          },
          keys,
          facets: slug === null ? own : [...own, slug],
          parts,
          unique: slug,
        };
        return SHAPES[shape](given);
      }),
  );
}

/** Any world that a mapping can describe: one to three kinds of things, in any of the shapes. */
export function worldsOf(dialects: Pairing): fc.Arbitrary<World> {
  const kinds = KINDS[Object.values(dialects).includes('postgres') ? 'any' : 'sqlite'];
  return fc
    .integer({ min: 1, max: 3 })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_unused, index) => entitiesOf(index, kinds))),
    )
    .map((groups) => worldOf(groups.flat()));
}

function worldOf(entities: readonly Entity[]): World {
  const pairs = entities.flatMap((entity) => entity.pairs);
  const schemasOf = (dialect: Dialect): Record<SideName, string> => ({
    legacy: schemaOf(entities, 'legacy', dialect),
    extracted: schemaOf(entities, 'extracted', dialect),
  });
  const named = { [fc.toStringMethod]: () => entities.map(({ name }) => name).join(' ') };
  return {
    ...named,
    entities,
    mapping: defineMapping({ capability: 'world', pairs }),
    schemas: { sqlite: schemasOf('sqlite'), postgres: schemasOf('postgres') },
  };
}

function schemaOf(entities: readonly Entity[], side: SideName, dialect: Dialect): string {
  const tables = entities.flatMap(({ views }) => views[side].map(({ ddl }) => ddl[dialect]));
  return [...new Set(tables)].map((ddl) => `${ddl};`).join('\n');
}
