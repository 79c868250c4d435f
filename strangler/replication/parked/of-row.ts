import {
  imageColumnsOf,
  keyColumnsOf,
  keyOn,
  MappingError,
  usableKeyOf,
  withoutSecrets,
} from '../../mapping/index.ts';
import type { Mapping, Pair, PairKey, Row } from '../../mapping/index.ts';
import type { ParkedChange } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change } from '../../ledger/store.ts';

/** A row of the owner as the feed would have brought it; for one that is copied and has to be parked. */
export function copiedChange(
  mapping: Mapping,
  pair: Pair,
  owner: SideName,
  row: Row,
  position: number,
): Change {
  const { table } = pair[owner];
  const pick = (columns: readonly string[]): Row =>
    withoutSecrets(
      columns.filter((column) => column in row),
      row,
    );
  const key = pick(keyColumnsOf(mapping, owner, table));
  const image = pick(imageColumnsOf(mapping, owner, table));
  return { position, tx: 0, table, key, op: 'upsert', image, epoch: 0, at: Date.now() };
}

/** Where an earlier try of the same row had its place, so that a new one does not lose it. */
export interface Place {
  readonly id: number;
  readonly attempts: number;
}

/**
 * A change of the owner as it is parked, without secrets.
 * @param reason why it can't be applied; null when it only waits, which is no attempt
 */
export function asParked(
  mapping: Mapping,
  owner: SideName,
  { table, key, op, image, position }: Change,
  root: string,
  reason: string | null,
  place: Place | null,
): Omit<ParkedChange, 'id'> {
  const columns = imageColumnsOf(mapping, owner, table);
  const kept = image === null ? null : withoutSecrets(columns, image as Row);
  const attempts = (place?.attempts ?? 0) + (reason === null ? 0 : 1);
  const at = Date.now();
  return { root, table, key: key as Row, op, image: kept, position, reason, attempts, at };
}

/** Whether a row is gone by this change. */
export function isRemoval({ op, image }: Pick<Change, 'op' | 'image'>): boolean {
  return op === 'delete' || (op === 'refresh' && image === null);
}

/** A parked change as the feed had brought it. */
export function asChange({
  position,
  table,
  key,
  op,
  image,
  at,
}: Omit<ParkedChange, 'id'>): Change {
  return { position, tx: 0, table, key, op, image, epoch: 0, at };
}

/**
 * Whether a change takes away a row that never had a partner: its key is NULL, or no text, or nothing
 * that a key can be on the other side. There is nothing to do there, nor to say of what is parked of it.
 * @param isHeld whether the other side's database can hold a key
 */
export function isNameless(
  { pairs }: Mapping,
  owner: SideName,
  change: Change,
  isHeld: (pair: Pair, key: Row) => boolean = () => true,
): boolean {
  if (!isRemoval(change)) return false;
  const own = pairs.filter((pair) => pair[owner].table === change.table);
  return own.every((pair) => {
    const key = usableKeyOf(pair, owner, change.key as Row);
    return key === undefined || !hasPlace(pair, otherSide(owner), key, isHeld);
  });
}

function hasPlace(
  pair: Pair,
  side: SideName,
  key: PairKey,
  isHeld: (pair: Pair, key: Row) => boolean,
): boolean {
  try {
    return isHeld(pair, keyOn(pair, side, key));
  } catch (error) {
    if (error instanceof MappingError) return false;
    throw error;
  }
}
