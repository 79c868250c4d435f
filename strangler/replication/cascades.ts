import {
  belongs,
  encodeValues,
  isColumnPair,
  keyNames,
  keyOn,
  MappingError,
  pairKeyOf,
  tablesOf,
} from '../mapping/index.ts';
import type { BorderRemedy, Mapping, Pair, Row } from '../mapping/index.ts';
import { referenceName } from '../check/reference.ts';
import type { Reference } from '../check/reference.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change } from '../ledger/store.ts';
import { plural } from '../wording.ts';

/**
 * What the mapping declares about the foreign keys of a moved table across the border, by their names.
 * All pairs of the table speak of the same foreign keys: see `checkMapping`.
 */
export function remediesOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): Readonly<Record<string, BorderRemedy>> {
  const pairs = mapping.pairs.filter((pair) => pair[side].table === table);
  return Object.assign({}, ...pairs.map((pair) => pair[side].references)) as Record<
    string,
    BorderRemedy
  >;
}

/** What the engine does about the children of rows whose delete it applies. */
export type ChildRemedy = 'cascade' | 'refuse';

/** Names of foreign keys of a moved table for which the engine has something to do, or to see. */
export function remedyNames(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  wanted: ChildRemedy,
): readonly string[] {
  return Object.entries(remediesOf(mapping, side, table))
    .filter(([, remedy]) => typeof remedy === 'object' && wanted in remedy)
    .map(([named]) => named);
}

/** The columns by which rows of a table are deleted: the keys of the pairs that give its rows life. */
export function keysByTable(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly (readonly string[])[] {
  return basePairsOf(mapping, side, table).map((pair) => keyNames(pair, side));
}

/** Those of a table's foreign keys that the mapping wants carried out. */
export function cascadesOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  references: readonly Reference[],
  wanted: ChildRemedy = 'cascade',
): readonly Reference[] {
  const names = remedyNames(mapping, side, table, wanted);
  return references.filter(
    (reference) => reference.child !== table && names.includes(referenceName(reference)),
  );
}

/** The children of deleted rows, by one foreign key. */
export interface DueCascade {
  readonly reference: Reference;
  /** Of the parents that were deleted; those that are there after all keep their children. */
  readonly keys: readonly Row[];
}

/**
 * What applied changes ask for in tables that do not move, by the foreign keys with such a remedy.
 * @param changes of a whole slice: a row that is inserted again later keeps its children
 * @param upto deletes after this position are still to be applied
 */
export function dueCascades(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  changes: readonly Change[],
  upto: number,
  referencesOf: (table: string) => readonly Reference[],
  wanted: ChildRemedy = 'cascade',
): readonly DueCascade[] {
  return tablesOf(mapping, side)
    .filter((table) => remedyNames(mapping, side, table, wanted).length > 0)
    .flatMap((table) => {
      const keys = deletedKeys(mapping, side, table, changes, upto);
      if (keys.length === 0) return [];
      const references = cascadesOf(mapping, side, table, referencesOf(table), wanted);
      return references.map((reference) => ({ reference, keys }));
    });
}

/**
 * Keys of a table's rows of which the last of the changes says that they are gone. That a row is gone
 * from the database says less: a copy takes rows out for a while, and what comes again may be parked.
 */
function deletedKeys(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  changes: readonly Change[],
  upto: number,
): readonly Row[] {
  const source = otherSide(side);
  const pairs = basePairsOf(mapping, side, table);
  // Images are parsed when they are looked at, and most slices delete nothing.
  const isFiltered = pairs.some((pair) => pair[source].where !== undefined);
  const sources = new Set(pairs.map((pair) => pair[source].table));
  const mayDelete = changes.some(
    (change) => (isFiltered || change.op !== 'upsert') && sources.has(change.table),
  );
  if (!mayDelete) return [];
  const deleted = new Map<string, Row>();
  for (const change of changes) {
    const kept: string[] = [];
    for (const pair of pairs) {
      if (pair[source].table !== change.table) continue;
      const row = change.op === 'delete' ? null : (change.image as Row | null);
      const key = keyHere(pair, side, row ?? (change.key as Row));
      if (key === undefined) continue;
      const named = encodeValues(
        Object.keys(key)
          .sort()
          .map((column) => key[column] ?? null),
      );
      if (row !== null && belongs(pair, source, row)) kept.push(named);
      else if (change.position <= upto) deleted.set(named, key);
    }
    // A row of one pair may have been one of another's, by the same key.
    for (const named of kept) deleted.delete(named);
  }
  return [...deleted.values()];
}

function basePairsOf(
  { pairs }: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly Pair[] {
  return pairs.filter((pair) => pair[side].table === table && !isColumnPair(pair, side));
}

/** Whether a mapping wants deletes refused at a side. */
export function refusesDeletes(mapping: Mapping, side: SideName): boolean {
  return tablesOf(mapping, side).some(
    (table) => remedyNames(mapping, side, table, 'refuse').length > 0,
  );
}

/** Why a delete is not applied. */
export function refusedDelete(reference: Reference, rows: number): MappingError {
  return new MappingError(
    `${plural(rows, 'row')} of ${reference.child} refer by ${referenceName(reference)} to the row of ` +
      `${reference.parent} that was deleted, and the mapping refuses that; see to them, and try it again`,
  );
}

/** A row's key as this side writes it; undefined when it can't be carried, so that no row here has it. */
function keyHere(pair: Pair, side: SideName, row: Row): Row | undefined {
  try {
    const key = pairKeyOf(pair, otherSide(side), row);
    return key && keyOn(pair, side, key);
  } catch (error) {
    if (error instanceof MappingError) return undefined;
    throw error;
  }
}
