import type { Place, Transaction } from '../../chassis/index.ts';

type Key = Readonly<Record<string, string | number>>;
type Columns = Readonly<Record<string, string | number | null>>;

/**
 * Writes a row as an event says that it is, unless it is as a later one has said. So events may be applied again, and
 * those of a replay beside those that happen meanwhile.
 */
export async function upsertNewer(
  trx: Transaction,
  table: string,
  key: Key,
  place: Place,
  columns: Columns = {},
): Promise<void> {
  const changes = { ...columns, epoch: place.epoch, sequence: place.sequence };
  await trx(table)
    .insert({ ...key, ...changes })
    .onConflict(Object.keys(key))
    .merge(changes)
    .whereRaw('(excluded.epoch, excluded.sequence) > (??, ??)', [
      `${table}.epoch`,
      `${table}.sequence`,
    ]);
}
