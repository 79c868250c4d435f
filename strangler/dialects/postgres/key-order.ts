import { keyColumns } from '../../mapping/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { IndexFacts } from '../../check/reference.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Column, Schemas } from './schema.ts';
import { name } from './values.ts';

/** Types whose values are put in order as texts are. */
export const TEXTS = new Set(['text', 'varchar', 'bpchar', 'name', 'citext']);
const IN_BYTE_ORDER = new Set(['uuid', 'date', 'bytea', 'int2', 'int4', 'int8', 'oid']);

/**
 * SQL that orders rows by a key's column as the mapping orders keys: numbers by size, the rest by
 * bytes. Undefined for types that can't.
 */
export function orderSql({ name: column, type, kind }: Column, row?: string): string | undefined {
  const whole = row === undefined ? name(column) : `${row}.${name(column)}`;
  if (type === 'text' || type === 'varchar') return `${whole} COLLATE "C"`;
  if (TEXTS.has(type)) return `(${whole}::text) COLLATE "C"`;
  return IN_BYTE_ORDER.has(type) || kind === 'time' ? whole : undefined;
}

/** An index of Fig's, without which each chunk of rows would have to be sorted out of all. */
export interface OrderIndex {
  readonly table: string;
  readonly columns: readonly string[];
  /** What it is over, as SQL. */
  readonly expressions: readonly string[];
}

/** The indexes that a side lacks to be read in the order of keys; most databases order text otherwise. */
export function orderIndexes(
  schemas: Schemas,
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
): readonly OrderIndex[] {
  const wanted = new Map<string, OrderIndex>();
  for (const pair of mapping.pairs) {
    const { table } = pair[side];
    const facts = schemas.get(table);
    const columns = keyColumns(pair, side);
    const expressions = columns.map((column) => {
      const known = facts?.byName.get(column);
      return known && orderSql(known);
    });
    if (facts === undefined || expressions.includes(undefined)) continue;
    if (facts.indexes.some((index) => serves(index, columns))) continue;
    const index = { table, columns, expressions: expressions as string[] };
    wanted.set(JSON.stringify([table, columns]), index);
  }
  return [...wanted.values()];
}

function serves({ columns, binary }: IndexFacts, key: readonly string[]): boolean {
  return binary && columns.slice(0, key.length).join() === key.join();
}
