import {
  columnOn,
  encodeValues,
  isColumnPair,
  keyColumnsOf,
  pairKeyOf,
  secretColumnsOf,
  writes,
} from '../../mapping/index.ts';
import type { Codec, Mapping, Pair, Row } from '../../mapping/index.ts';
import { PackedChange } from '../../replication/packed-change.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';
import { canDecide } from './columns.ts';
import type { Column, Schemas } from './schema.ts';
import { LONGEST_NAME } from './values.ts';

/** A column of this side, and what the owner's images call it. */
export interface PassedThroughColumn {
  readonly column: Column;
  readonly from: string;
}

/** A pair whose columns hold here what they hold at the owner's: images need not be taken apart. */
export interface PassThrough {
  readonly pair: Pair;
  readonly key: readonly PassedThroughColumn[];
  readonly rest: readonly PassedThroughColumn[];
  /** Whether changes name the row by one column and nothing else. */
  readonly shortKey: boolean;
}

const known = new WeakMap<Schemas, ReadonlyMap<Pair, PassThrough>>();

/** The pairs of a mapping whose images one side can read itself. */
export function passThroughsOf(
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
): ReadonlyMap<Pair, PassThrough> {
  let passThroughs = known.get(schemas);
  if (passThroughs === undefined) {
    const found = mapping.pairs.map((pair) => passThroughOf(mapping, side, schemas, pair));
    passThroughs = new Map(
      found.flatMap((passThrough) => (passThrough ? [[passThrough.pair, passThrough]] : [])),
    );
    known.set(schemas, passThroughs);
  }
  return passThroughs;
}

function passThroughOf(
  mapping: Mapping,
  side: SideName,
  schemas: Schemas,
  pair: Pair,
): PassThrough | undefined {
  const source = otherSide(side);
  const [{ table }, owner] = [pair[side], pair[source]];
  const alone = mapping.pairs.filter((other) => other[side].table === table).length === 1;
  const filtered = pair[side].where !== undefined || owner.where !== undefined;
  // Secrets are added to images, which are then no more what the feed says.
  const hidden = secretColumnsOf(mapping, source, owner.table).length > 0;
  if (!alone || filtered || hidden || isColumnPair(pair, side)) return undefined;
  const key = passedColumns(pair.key, side, schemas, table);
  const written = pair.columns.filter((codec) => writes(codec, side));
  const all = passedColumns(written, side, schemas, table);
  if (key === undefined || all === undefined) return undefined;
  const names = key.map(({ column }) => column.name);
  if (!canDecide(schemas, table, names)) return undefined;
  const rest = all.filter(({ column }) => !names.includes(column.name));
  const shortKey = keyColumnsOf(mapping, source, owner.table).length === 1;
  return { pair, key, rest, shortKey };
}

function passedColumns(
  codecs: readonly Codec[],
  side: SideName,
  schemas: Schemas,
  table: string,
): readonly PassedThroughColumn[] | undefined {
  const passed = codecs.map((codec) => {
    const column = schemas.get(table)?.byName.get(columnOn(codec, side) ?? '');
    const from = columnOn(codec, otherSide(side));
    const plain = codec.spec['codec'] === 'same' && codec.secret !== true;
    if (!plain || column === undefined || from === null) return undefined;
    // PostgreSQL would not find a longer name in an image.
    return Buffer.byteLength(from) > LONGEST_NAME ? undefined : { column, from };
  });
  return passed.every((column) => column !== undefined) ? passed : undefined;
}

/** What JSON can't say is an object in images and keys (see `encodeRow`). */
const SPECIAL = '{"$';

/** The same text for all changes of a row, however the feed came to write down its key. */
export function rowText({ pair, shortKey }: PassThrough, source: SideName, change: Change): string {
  if (shortKey && change instanceof PackedChange) {
    const [, , , key] = change.packed;
    if (!key.includes(SPECIAL) && !key.includes('\\')) return key;
  }
  return encodeValues(pairKeyOf(pair, source, change.key as Row) ?? []);
}

/** The image of a change, as JSON that says all there is to say; undefined where it can't. */
export function passedImage(change: Change): string | undefined {
  if (!(change instanceof PackedChange) || change.op === 'delete') return undefined;
  const [, , , key, , image] = change.packed;
  if (image === null || image.includes(SPECIAL) || key.includes(':null')) return undefined;
  return image;
}
