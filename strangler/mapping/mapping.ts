import { canonicalJson, sha256 } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { Codec } from './codec.ts';
import type { SqlValue } from './sql-value.ts';
import { worthOf } from './sql-value.ts';

/** Rows whose columns hold one of the listed values; every column must. */
export type RowFilter = Readonly<Record<string, readonly (string | number | null)[]>>;

/** Takes the value of another column of the same row. */
export interface CopyOf {
  readonly copyOf: string;
}

/** For `resetTo`: the column falls back to what another column of its row says. */
export function copyOf(column: string): CopyOf {
  return { copyOf: column };
}

/** A remedy that the engine applies: see `cascade`. */
export interface Cascade {
  readonly cascade: true;
}

/**
 * For `references`: when the delete of a row is applied, its children are deleted (ON DELETE CASCADE)
 * or lose their parent (SET NULL), as the foreign key says.
 */
export const cascade: Cascade = { cascade: true };

/** A remedy that the engine applies: see `refuse`. */
export interface Refuse {
  readonly refuse: true;
}

/**
 * For `references`: the delete of a row that has children is not applied, but parked with their number, as long
 * as they are there. It does what ON DELETE RESTRICT would, as far as one database can for another.
 */
export const refuse: Refuse = { refuse: true };

/** What is done about a foreign key across the border; a text is the reason why nothing has to be. */
export type BorderRemedy = string | Cascade | Refuse;

/** One side of a pair: a table, or some rows of it, or some columns of it. */
export interface PairSide {
  readonly table: string;
  /** Only these rows belong to the pair; a row that leaves the filter is a delete of its partner. */
  readonly where?: RowFilter;
  /**
   * Makes this pair a column pair in the table: another pair, its base pair, gives its rows life. Deleting
   * the partner resets these columns instead of deleting the row, and new rows start with them.
   */
  readonly resetTo?: Readonly<Record<string, string | number | null | CopyOf>>;
  /**
   * A row may be missing here whose partner, a column pair, has nothing to say: the owner of this table
   * makes it only when there is something to keep in it.
   */
  readonly optional?: boolean;
  /** Columns of the table that no pair carries, with the reason why that loses nothing. */
  readonly leftOut?: Readonly<Record<string, string>>;
  /**
   * Triggers of the table's own, each with the reason why it may fire for applied rows, too. Other
   * triggers are refused: what they write on the side that follows, no feed has seen.
   */
  readonly triggers?: Readonly<Record<string, string>>;
  /**
   * Foreign keys between the table and one that does not move, as `child(column, ...)`. Once the other
   * side is the owner, no database keeps them in step: each is `cascade` or `refuse`, or has
   * the reason why that does no harm.
   */
  readonly references?: Readonly<Record<string, BorderRemedy>>;
}

/** Joins the rows of a legacy table one to one with those of an extracted table. */
export interface Pair {
  /** Unique within the mapping; shown in reports, kept in cursors. */
  readonly name: string;
  readonly legacy: PairSide;
  readonly extracted: PairSide;
  /**
   * What partners have in common, by codecs that keep the order: `same`, `prefixed`, and
   * `constant` for a key column that is the same in all rows of the pair.
   */
  readonly key: readonly Codec[];
  readonly columns: readonly Codec[];
  /** The aggregate that its rows are parts of; left out where each row stands for itself. */
  readonly partOf?: PartOf;
}

/** Rows that change together with a row of another pair: an order's lines with the order. */
export interface PartOf {
  /** The pair of the root. */
  readonly pair: string;
  /** Legacy columns that hold the root's key. */
  readonly by: readonly string[];
}

/**
 * The column that says whose a row is, such as its customer. Every table on each side has it, never
 * null, and each pair carries it as it is.
 */
export type CohortKey = Readonly<Record<SideName, string>>;

/** What moves together, as data: pairs in the order in which they are copied, parents first. */
export interface Mapping {
  readonly capability: string;
  /** The column by whose values single keys may move ahead of the rest; absent: all move together. */
  readonly cohortKey?: CohortKey;
  readonly pairs: readonly Pair[];
  /** Changes whenever anything does that the rows of a copy depend on. */
  readonly hash: string;
}

/** A mapping from its declaration. Run `checkMapping` on it: this function judges nothing. */
export function defineMapping(declaration: Omit<Mapping, 'hash'>): Mapping {
  return { ...declaration, hash: mappingHash(declaration) };
}

function mappingHash({ capability, cohortKey, pairs }: Omit<Mapping, 'hash'>): string {
  const specs = pairs.map(({ name, legacy, extracted, key, columns }) => ({
    name,
    legacy: hashed(legacy),
    extracted: hashed(extracted),
    key: key.map(({ spec }) => spec),
    columns: columns.map(({ spec }) => spec),
  }));
  return sha256(
    canonicalJson({ capability, ...(cohortKey ? { cohortKey } : {}), pairs: specs }),
  ).slice(0, 16);
}

/** `resetTo` under its first name: databases hold hashes that were made with it, and another hash demands a new copy. */
function hashed({ resetTo, ...side }: PairSide): object {
  return resetTo === undefined ? side : { ...side, whenAbsent: resetTo };
}

/** The column a codec stands for on a side, if it has one there. */
export function columnOn(codec: Codec, side: SideName): string | null {
  return side === 'legacy' ? codec.legacy : codec.extracted;
}

/** Whether a pair may write the codec's column on a side. */
export function writes(codec: Codec, side: SideName): boolean {
  if (columnOn(codec, side) === null) return false;
  return codec.derivedOn === undefined || codec.derivedOn === side;
}

export function isColumnPair(pair: Pair, side: SideName): boolean {
  return pair[side].resetTo !== undefined;
}

/** Tables of one side, each once, in the order of their first pair. */
export function tablesOf(mapping: Pick<Mapping, 'pairs'>, side: SideName): readonly string[] {
  return [...new Set(mapping.pairs.map((pair) => pair[side].table))];
}

/** Columns that make up the key of a table's rows in the feed: those of all its pairs' keys. */
export function keyColumnsOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly string[] {
  return distinctColumns(mapping, side, table, ({ key }) => key);
}

/**
 * Columns of a table that its pairs read, and so its row images carry; nothing else leaves it.
 * Secrets do not: they are read from the owner when the image is applied.
 */
export function imageColumnsOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly string[] {
  const secrets = secretColumnsOf(mapping, side, table);
  const carried = distinctColumns(mapping, side, table, ({ key, columns }) => [
    ...key,
    ...columns,
  ]).filter((column) => !secrets.includes(column));
  const filtered = mapping.pairs
    .filter((pair) => pair[side].table === table)
    .flatMap((pair) => Object.keys(pair[side].where ?? {}));
  return [...new Set([...carried, ...filtered])];
}

/** Columns of a table whose values must not be seen. */
export function secretColumnsOf(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
): readonly string[] {
  return distinctColumns(mapping, side, table, ({ key, columns }) =>
    [...key, ...columns].filter(({ secret }) => secret === true),
  );
}

function distinctColumns(
  mapping: Pick<Mapping, 'pairs'>,
  side: SideName,
  table: string,
  select: (pair: Pair) => readonly Codec[],
): string[] {
  const columns = mapping.pairs
    .filter((pair) => pair[side].table === table)
    .flatMap((pair) => select(pair).map((codec) => columnOn(codec, side)))
    .filter((column) => column !== null);
  return [...new Set(columns)];
}

/** Whether a row is one of the pair's on this side. */
export function belongs(
  pair: Pair,
  side: SideName,
  row: Readonly<Record<string, SqlValue>>,
): boolean {
  const { where } = pair[side];
  if (where !== undefined) {
    for (const [column, values] of Object.entries(where)) {
      if (!(values as readonly SqlValue[]).includes(worthOf(row[column] ?? null))) return false;
    }
  }
  return ownsKey(pair, side, row);
}

/** Whether a row, or only its key, is one of the pair's by its key, whatever the filter says. */
export function ownsKey(
  pair: Pair,
  side: SideName,
  row: Readonly<Record<string, SqlValue>>,
): boolean {
  for (const codec of pair.key) if (!ownsKeyPart(codec, side, row)) return false;
  return true;
}

function ownsKeyPart(
  codec: Codec,
  side: SideName,
  row: Readonly<Record<string, SqlValue>>,
): boolean {
  const column = columnOn(codec, side);
  if (column === null) return true;
  const value = worthOf(row[column] ?? null);
  if (codec.constant !== undefined) return value === codec.constant;
  if (codec.prefix === undefined || side === 'legacy') return true;
  return typeof value === 'string' && value.startsWith(codec.prefix);
}
