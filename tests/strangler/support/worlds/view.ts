import type { Dialect } from '../../../../chassis/index.ts';
import type { Codec } from '../../../../strangler/mapping/index.ts';
import type { SideName } from '../../../../routing/side.ts';
import type { Cells, Entity, Thing, View } from './entity.ts';
import { codecOf, written } from './facet.ts';
import type { Facet, Value } from './facet.ts';

/** What a shape is made of. */
export interface Parts {
  readonly name: string;
  /** Table names; odd ones, as a database allows. */
  readonly tables: Readonly<Record<SideName, readonly [string, string]>>;
  readonly keys: readonly Facet[];
  readonly facets: readonly Facet[];
  readonly parts: readonly Facet[];
  /** The facet of which no two things may have the same value. */
  readonly unique: Facet | null;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What a side writes down of some facets. */
export function cells(facets: readonly Facet[], side: SideName, values: readonly Value[]): Cells {
  return Object.fromEntries(
    facets.map((facet, index) => [facet.names[side], written(facet, side, values[index] ?? null)]),
  );
}

interface Columns {
  readonly table: string;
  readonly side: SideName;
  readonly keys: readonly Facet[];
  readonly facets: readonly Facet[];
  readonly unique?: Facet | null;
  /** Columns besides, as SQL. */
  readonly more?: readonly string[];
  /** Whether the facets may be unknown here, whatever they say themselves. */
  readonly loose?: boolean;
}

function ddlOf(
  dialect: Dialect,
  { table, side, keys, facets, unique, more = [], loose = false }: Columns,
): string {
  const key = keys.map(({ names }) => quoted(names[side])).join(', ');
  const columns = [
    ...keys.map(({ kind, names }) => `${quoted(names[side])} ${kind[side].type[dialect]} NOT NULL`),
    ...facets.map(
      ({ kind, names, nullable }) =>
        `${quoted(names[side])} ${kind[side].type[dialect]}${nullable || loose ? '' : ' NOT NULL'}`,
    ),
    ...more,
    `PRIMARY KEY (${key})`,
    ...(unique ? [`UNIQUE (${quoted(unique.names[side])})`] : []),
  ];
  return `CREATE TABLE ${quoted(table)} (${columns.join(', ')})`;
}

/** A view of a table of its own. */
export function view(columns: Columns, rowOf: (thing: Thing) => Cells | null): View {
  const { table, side, keys, facets } = columns;
  return {
    table,
    ddl: { sqlite: ddlOf('sqlite', columns), postgres: ddlOf('postgres', columns) },
    keyOf: (key) => cells(keys, side, key),
    rowOf,
    columns: [...keys, ...facets].map(({ names }) => names[side]),
  };
}

/** A way to keep things on both sides. */
export type Shape = (parts: Parts) => readonly Entity[];

export const codecs = (facets: readonly Facet[]): Codec[] => facets.map(codecOf);
